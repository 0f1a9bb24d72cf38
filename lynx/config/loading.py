"""`load_experiment`: all configuration files, merged, resolved and checked, as one `Experiment`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import TypeAdapter

from lynx.config.checks import check_chosen_variants, check_experiment
from lynx.config.experiment import Experiment
from lynx.config.explain import KeyPath, Locate, dotted, in_file, unknown_name, validate
from lynx.config.files import BenchmarkConfig, MainConfig, ScaleConfig, SiteConfig, VariantConfig
from lynx.config.overrides import Overrides
from lynx.config.recipes import Names, RecipeSource, read_recipe, resolve
from lynx.config.stages import Recipe
from lynx.config.training_sets import check_training, has_scores, trained_on
from lynx.config.variants import plan_variants
from lynx.config.yaml_files import deep_merge, names_in, parse_yaml, read_mapping
from lynx.errors import InputError

DEFAULT = Path("config/config.yaml")
COMMAND_LINE = "command line"
T = TypeVar("T")


@dataclass(frozen=True)
class _Main:
    config: MainConfig
    origins: dict[str, str]
    """Top-level key -> the file (or the command line) that set it last."""


def load_experiment(
    config_files: Sequence[Path] = (),
    overrides: Mapping[str, object] = MappingProxyType({}),
    root: Path = Path("."),
) -> Experiment:
    """Read and check the configuration under `root`.

    `config_files` are merged left to right (none: `config/config.yaml`), then `overrides`, whose
    keys are those of `MainConfig` and whose values may be text, as Snakemake's
    `--config key=value` gives them. Relative paths of the site are taken from `root`.
    Raises `InputError`: one sentence about the first fault found.
    """
    if not (root / "config").is_dir():
        raise InputError(
            f"{root}: found no folder config in it, expected the project's folder; "
            "start in it, or name it with --root"
        )
    main = _read_main(root, config_files or [DEFAULT], overrides)
    scales = names_in(root, "scales")
    scale_name = main.config.scale
    if scale_name not in scales:
        raise unknown_name(main.origins["scale"], "scale", scale_name, scales)
    scale_file = f"config/scales/{scale_name}.yaml"
    scale = _read(root, scale_file, TypeAdapter(ScaleConfig))
    variants = _read(root, "config/variants.yaml", TypeAdapter(dict[str, VariantConfig]))
    benchmarks = read_benchmarks(root)
    _check_chosen(main, scale, scale_file, variants, benchmarks)
    source = _read_recipe_source(root, main, scale, scale_file, scales, benchmarks)
    chosen = Overrides.parse(main.origins["overrides"], main.config.overrides)
    recipes, places = _resolve_all(source, main, chosen)
    trained = dict.fromkeys([*recipes, *sorted({benchmarks[n].trained_on or n for n in recipes})])
    experiment = Experiment(
        main=main.config,
        scale_name=scale_name,
        scale=scale,
        recipe_name=Path(source.name).stem,
        recipes=recipes,
        align_names={name: source.align_name(name, scale_name) for name in trained},
        alignments={},
        variants=variants,
        plans={},
        faults={},
        benchmarks=_needed(benchmarks, recipes),
        pooled={},
        pooled_splits={},
        site=_read_site(root),
    )
    check_experiment(experiment, set(benchmarks), places)
    planned = plan_variants(experiment, source, chosen, benchmarks)
    check_chosen_variants(planned)
    return planned


def _read_main(root: Path, files: Sequence[Path], overrides: Mapping[str, object]) -> _Main:
    layers = [(str(name), read_mapping(root, name)) for name in files]
    layers.append((COMMAND_LINE, {key: _typed(key, value) for key, value in overrides.items()}))
    data: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, values in layers:
        data = deep_merge(data, values)
        origins |= dict.fromkeys(values, name)

    def locate(path: KeyPath) -> tuple[str, str]:
        # A key that is missing from all of them belongs into the first.
        return origins.get(str(path[0]), str(files[0])), dotted(path)

    return _Main(validate(TypeAdapter(MainConfig), data, locate), origins)


def _typed(key: str, value: object) -> object:
    """A value from the command line: text stands for YAML, except where a name is expected."""
    if not isinstance(value, str) or key == "scale" or (key == "recipe" and value != "null"):
        return value
    return parse_yaml(value, f"{COMMAND_LINE}, {key}")


def _read(root: Path, name: str, adapter: TypeAdapter[T]) -> T:
    return validate(adapter, read_mapping(root, name), in_file(name))


def read_benchmarks(root: Path) -> dict[str, BenchmarkConfig]:
    """Every file of `config/benchmarks`, whether it is to run or not, by name."""
    adapter = TypeAdapter(BenchmarkConfig)
    names = names_in(root, "benchmarks")
    found = {name: _read(root, f"config/benchmarks/{name}.yaml", adapter) for name in names}
    check_training(found)
    return found


def configured_with(root: Path, benchmark: str) -> str:
    """What has to run so that a benchmark is configured: itself, or one that is trained on it."""
    return next(iter(trained_on(read_benchmarks(root), benchmark)), benchmark)


def _check_chosen(
    main: _Main,
    scale: ScaleConfig,
    scale_file: str,
    variants: dict[str, VariantConfig],
    benchmarks: dict[str, BenchmarkConfig],
) -> None:
    """Benchmarks and variants that are to run exist, each benchmark once."""
    for name in main.config.benchmarks:
        if main.config.benchmarks.count(name) > 1:
            raise InputError(
                f"{main.origins['benchmarks']}: key 'benchmarks' lists '{name}' twice; keep one"
            )
        if name not in benchmarks:
            raise unknown_name(main.origins["benchmarks"], "benchmark", name, benchmarks)
        if not has_scores(benchmarks[name]):
            raise InputError(
                f"{main.origins['benchmarks']}: key 'benchmarks' names '{name}', which has a "
                "training split only; choose among those that are trained on it: "
                f"{', '.join(trained_on(benchmarks, name)) or 'none'}"
            )
    chosen = main.config.compare_with
    where = scale_file if chosen is None else main.origins["compare_with"]
    for name in (*scale.compare_with, *scale.seed_controls) if chosen is None else chosen:
        if name not in variants:
            raise unknown_name(where, "variant", name, variants)


def _read_recipe_source(
    root: Path,
    main: _Main,
    scale: ScaleConfig,
    scale_file: str,
    scales: list[str],
    benchmarks: dict[str, BenchmarkConfig],
) -> RecipeSource:
    known = names_in(root, "recipes")
    chosen = main.config.recipe
    if (chosen or scale.recipe) not in known:
        where = main.origins["recipe"] if chosen else scale_file
        raise unknown_name(where, "recipe", chosen or scale.recipe, known)
    name = f"config/recipes/{chosen or scale.recipe}.yaml"
    names = Names(
        groups={key: item.group for key, item in benchmarks.items()},
        trainers={key: item.trained_on or key for key, item in benchmarks.items()},
        scored=frozenset(key for key, item in benchmarks.items() if has_scores(item)),
        scales=frozenset(scales),
    )
    return read_recipe(name, read_mapping(root, name), names)


def _resolve_all(
    source: RecipeSource, main: _Main, chosen: Overrides
) -> tuple[dict[str, Recipe], dict[str, Locate]]:
    found = {
        name: resolve(source, name, main.config.scale, chosen) for name in main.config.benchmarks
    }
    recipes = {name: recipe for name, (recipe, _) in found.items()}
    return recipes, {name: locate for name, (_, locate) in found.items()}


def _needed(
    benchmarks: dict[str, BenchmarkConfig], recipes: dict[str, Recipe]
) -> dict[str, BenchmarkConfig]:
    """What runs, then what only gives training data; unknown sources are left to the checks."""
    sources = {
        name
        for recipe in recipes.values()
        for name in (*recipe.reference.sources, *recipe.align.sources)
    } | {benchmarks[name].trained_on or name for name in recipes}
    names = [*recipes, *sorted(sources & set(benchmarks) - set(recipes))]
    return {name: benchmarks[name] for name in names}


def _read_site(root: Path) -> SiteConfig:
    site = _read(root, "config/site.yaml", TypeAdapter(SiteConfig))
    data = {name: root / path.expanduser() for name, path in site.data.items()}
    return site.model_copy(update={"data": data, "models": root / site.models.expanduser()})
