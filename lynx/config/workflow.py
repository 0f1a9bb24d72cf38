"""What the Snakefile asks of the configuration: inputs, slices and options of its rules."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from lynx.config import slices
from lynx.config.experiment import Experiment, Stream
from lynx.config.layout import Layout
from lynx.config.loading import COMMAND_LINE, DEFAULT, load_experiment
from lynx.config.yaml_files import deep_merge, parse_yaml, read_mapping
from lynx.errors import InputError

ANNOTATIONS = ("*.json", "*/*.json", "*/*.parquet")
"""Where annotation files lie below their root: in it, or one folder down."""


@dataclass(frozen=True)
class WorkflowConfig:
    """The configuration as the DAG sees it; a wildcard may name another scale or seed."""

    files: tuple[Path, ...]
    overrides: tuple[tuple[str, str], ...]
    root: Path
    experiment: Experiment = field(compare=False, hash=False, repr=False)

    @classmethod
    def load(
        cls, files: Sequence[Path | str], config: Mapping[str, Any], root: Path
    ) -> WorkflowConfig:
        """Take Snakemake's merged config; what its files do not say came from `--config`.

        A fault is raised as Snakemake's own error, which is printed without a traceback.
        """
        names = _in_order(files, root)
        written: dict[str, Any] = {}
        for name in names:
            written = deep_merge(written, read_mapping(root, name))
        changed = {
            key: value if isinstance(value, str) else _typed_leaves(value)
            for key, value in config.items()
            if written.get(key) != value
        }
        try:
            experiment = load_experiment(names, changed, root)
        except InputError as error:
            # Only Snakemake calls this, and it prints no traceback for its own error.
            from snakemake.exceptions import WorkflowError  # type: ignore[import-untyped]

            raise WorkflowError(str(error)) from None
        pairs = tuple(
            (key, value if isinstance(value, str) else json.dumps(value))
            for key, value in sorted(changed.items())
        )
        return cls(names, pairs, root, experiment)

    def at(self, wildcards: Any) -> Experiment:
        """The experiment that a job's wildcards (scale, seed) name."""
        chosen = {
            key: str(getattr(wildcards, key))
            for key in ("scale", "seed")
            if hasattr(wildcards, key)
        }
        return _load_cached(self, tuple(sorted(chosen.items())))

    def options(self, wildcards: Any, output: Any) -> str:
        """The options with which a stage command reads this very configuration.

        `output` is not looked at. Snakemake does not compare a parameter whose function takes it,
        and it must not compare this one: what decides a job is its slice, not every option.
        """
        pairs = dict(self.overrides)
        for key in ("scale", "seed"):
            if hasattr(wildcards, key):
                pairs[key] = str(getattr(wildcards, key))
        parts = [f"--config {shlex.quote(str(name))}" for name in self.files]
        parts += [f"--set {shlex.quote(f'{key}={value}')}" for key, value in sorted(pairs.items())]
        return " ".join(parts)

    def features_slice(self, wildcards: Any, stream: Stream) -> str:
        """The slice of one stream; the stream is a rule's own, not always a wildcard."""
        experiment = self.at(wildcards)
        return slice_of("features", experiment, wildcards.benchmark, wildcards.split, stream)

    @property
    def scale_names(self) -> str:
        """A pattern of all scales."""
        return "|".join(sorted(path.stem for path in Path("config/scales").glob("*.yaml")))

    @property
    def benchmark_names(self) -> str:
        """A pattern of all benchmarks."""
        return "|".join(sorted(path.stem for path in Path("config/benchmarks").glob("*.yaml")))

    @property
    def world_names(self) -> str:
        """A pattern of all rendered worlds."""
        return "|".join(sorted(self.experiment.scale.worlds)) or "none"

    @property
    def variant_names(self) -> str:
        """A pattern of all variants."""
        return "|".join(sorted(self.experiment.variants))

    def headlines(self) -> list[str]:
        """`results/<benchmark>/metrics.json` of every configured benchmark."""
        layout = Layout(Path(), self.experiment.scale_name)
        return [str(layout.headline(name)) for name in self.experiment.main.benchmarks]

    def seed_tables(self) -> list[str]:
        """The table over seeds of every configured benchmark."""
        names = self.experiment.main.benchmarks
        return [f"results/tables/{name}-seeds.{kind}" for name in names for kind in ("csv", "md")]

    def variants(self) -> list[str]:
        """lynx and the variants shown beside it."""
        return ["lynx", *(name for name in self.experiment.compare_with if name != "lynx")]


def _typed_leaves(value: Any) -> Any:
    """Lists and mappings of `--config`, where Snakemake leaves every number as text, with numbers.

    Text that stands for a list or a mapping stays text, such as a reason that holds a colon.
    """
    if isinstance(value, dict):
        return {key: _typed_leaves(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed_leaves(item) for item in value]
    if not isinstance(value, str):
        return value
    try:
        typed = parse_yaml(value, COMMAND_LINE)
    except InputError:  # text that is no YAML is text
        return value
    return value if isinstance(typed, dict | list) else typed


def _in_order(files: Sequence[Path | str], root: Path) -> tuple[Path, ...]:
    """The default file, then what was laid over it; Snakemake lists the Snakefile's own last."""
    paths = [Path(os.path.relpath(name, root)) for name in (DEFAULT, *files)]
    return tuple(dict.fromkeys(paths))


@lru_cache(maxsize=64)
def _load_cached(config: WorkflowConfig, chosen: tuple[tuple[str, str], ...]) -> Experiment:
    overrides: dict[str, object] = {**dict(config.overrides), **dict(chosen)}
    return load_experiment(config.files, overrides, config.root)


def manifest(folder: Path) -> str:
    """The manifest that stands for a folder in the DAG."""
    return str(folder / "manifest.json")


def data_inputs(experiment: Experiment, benchmark: str) -> list[str]:
    """The rendered world, or the annotation files of the site."""
    world = experiment.world_of(benchmark)
    if world is not None:
        return [manifest(Layout(Path(), experiment.scale_name).world(world))]
    root = experiment.site.data.get(experiment.benchmarks[benchmark].annotations)
    names = (path for pattern in ANNOTATIONS for path in root.glob(pattern)) if root else ()
    return sorted(map(str, names))


def base_inputs(experiment: Experiment) -> list[str]:
    """The base's configuration and weights: one that is not there stops before anything runs."""
    folder = experiment.base_folder
    return [str(path) for path in (folder / "config.json", *sorted(folder.glob("*.safetensors")))]


def frames_inputs(experiment: Experiment, group: str) -> list[str]:
    """The sample tables whose scenes are prepared."""
    layout = Layout(Path(), experiment.scale_name)
    return [manifest(layout.data(name)) for name in experiment.group_benchmarks(group)]


def reference_inputs(experiment: Experiment, group: str) -> list[str]:
    """Base, frames, and the tables that name the training scenes."""
    layout = Layout(Path(), experiment.scale_name)
    tables = [layout.data(name) for name in experiment.group_recipe(group).reference.sources]
    return [manifest(folder) for folder in (layout.base, layout.frames(group), *tables)]


def align_inputs(experiment: Experiment, name: str) -> list[str]:
    """Base, frames, reference, and the tables that name the training scenes."""
    layout = Layout(Path(), experiment.scale_name)
    group = experiment.align_group(name)
    tables = [layout.data(source) for source in experiment.align_settings(name).sources]
    folders = (layout.base, layout.frames(group), layout.reference(group), *tables)
    return [manifest(folder) for folder in folders]


def features_inputs(experiment: Experiment, benchmark: str, stream: str) -> list[str]:
    """Base, table, frames, and the vision adapter of an aligned stream."""
    layout = Layout(Path(), experiment.scale_name)
    group = experiment.benchmarks[benchmark].group
    folders = [layout.base, layout.data(benchmark), layout.frames(group)]
    if stream == "aligned":
        folders.append(layout.align(experiment.align_names[benchmark], experiment.main.seed))
    return [manifest(folder) for folder in folders]


def stream_inputs(experiment: Experiment, variant: str, benchmark: str, split: str) -> list[str]:
    """The streams that a variant reads of one split."""
    layout, seed = Layout(Path(), experiment.scale_name), experiment.main.seed
    streams = dict.fromkeys(experiment.variants[variant].streams)
    return [manifest(layout.features(benchmark, split, each, seed)) for each in streams]


def sft_inputs(experiment: Experiment, variant: str, benchmark: str) -> list[str]:
    """Base, table and training streams."""
    layout, train = Layout(Path(), experiment.scale_name), experiment.training_split(benchmark)
    own = [manifest(layout.base), manifest(layout.data(benchmark))]
    return own + stream_inputs(experiment, variant, benchmark, train)


def predict_inputs(experiment: Experiment, variant: str, benchmark: str) -> list[str]:
    """Base, table, evaluation streams, and the language adapter of a trained variant."""
    layout, seed = Layout(Path(), experiment.scale_name), experiment.main.seed
    split = experiment.recipes[benchmark].evaluate.split
    own = [manifest(layout.base), manifest(layout.data(benchmark))]
    if experiment.variants[variant].sft:
        own.append(manifest(layout.sft(variant, experiment.trainer_of(benchmark), seed)))
    return own + stream_inputs(experiment, variant, benchmark, split)


def lmms_inputs(experiment: Experiment, variant: str, benchmark: str) -> list[str]:
    """Base, table and the language adapter."""
    layout, seed = Layout(Path(), experiment.scale_name), experiment.main.seed
    sft = layout.sft(variant, experiment.trainer_of(benchmark), seed)
    return [manifest(folder) for folder in (layout.base, layout.data(benchmark), sft)]


def slice_of(stage: str, experiment: Experiment, *names: str) -> str:
    """The config slice of a stage as text: a rule's parameter, so that a change re-runs it."""
    found = getattr(slices, f"{stage}_slice")(experiment, *names)
    return json.dumps(found, sort_keys=True)
