"""What the Snakefile asks of the configuration: inputs, slices and options of its rules."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from lynx.artifacts.hashing import hash_data, hash_file
from lynx.artifacts.manifest import MANIFEST_NAME
from lynx.config import slices
from lynx.config.experiment import Experiment
from lynx.config.files import Stream
from lynx.config.layout import FIGURES, Layout
from lynx.config.loading import COMMAND_LINE, DEFAULT, load_experiment
from lynx.config.published import Published, published_of
from lynx.config.targets import named_targets
from lynx.config.yaml_files import deep_merge, names_in, parse_yaml, read_mapping
from lynx.errors import InputError

LIBRARIES_MB = 2500
"""Main memory of a job beside the weights: torch, decoded frames, batches."""


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

    def gpus(self, wildcards: Any) -> int:
        """GPUs of a job that works on several: in one task, which starts a process for each."""
        return self.at(wildcards).scale.gpus

    def one_gpu(self, wildcards: Any) -> int:
        """The GPU of a job that works on one, or 0 at a scale without."""
        return min(1, self.gpus(wildcards))

    def gpu_model(self, wildcards: Any) -> str | None:
        """Their type on this site's cluster; None where any will do, or where there is none."""
        return self.at(wildcards).site.slurm.gpu_model if self.gpus(wildcards) else None

    def memory(self, wildcards: Any, attempt: int) -> int:
        """MB of main memory for a job that loads the base on each of its GPUs.

        A process reads the weights once and may hold them in a wider type; each attempt gets more.
        """
        return attempt * (LIBRARIES_MB + max(1, self.gpus(wildcards)) * self._weights_mb(wildcards))

    def memory_of_one(self, wildcards: Any, attempt: int) -> int:
        """The same for a job that loads it once."""
        return attempt * (LIBRARIES_MB + self._weights_mb(wildcards))

    def _weights_mb(self, wildcards: Any) -> int:
        folder = self.at(wildcards).base_folder
        return 2 * sum(path.stat().st_size for path in folder.glob("*.safetensors")) // 10**6

    def features_slice(self, wildcards: Any, stream: Stream) -> str:
        """The slice of one stream; the stream is a rule's own, not always a wildcard."""
        experiment = self.at(wildcards)
        return slice_of("features", experiment, wildcards.benchmark, wildcards.split, stream)

    @property
    def environment(self) -> str:
        """The conda environment of every rule, as a file of workflow/rules names it.

        One for all of them, those without a GPU too: a machine then has one environment, and the
        targets' differ in CUDA alone. It is no input and in no slice, and the profiles leave the
        software environment out of what runs a job again.
        """
        return f"../../envs/{self.experiment.site.gpu_target}.yaml"

    @property
    def scale_names(self) -> str:
        """A pattern of all scales."""
        return "|".join(names_in(self.root, "scales"))

    @property
    def benchmark_names(self) -> str:
        """A pattern of all benchmarks."""
        return "|".join(names_in(self.root, "benchmarks"))

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
        return [str(self._layout.headline(name)) for name in self.experiment.main.benchmarks]

    def seed_tables(self) -> list[str]:
        """The table over seeds of every configured benchmark."""
        tables, names = self._layout.tables, self.experiment.main.benchmarks
        return [str(tables / f"{name}-seeds.{kind}") for name in names for kind in ("csv", "md")]

    @cached_property
    def results_there(self) -> str:
        """A hash of every score, measure, curve and page of samples below `results/`.

        Of what lies there when it is first asked for, which only jobs that show them do.
        """
        scores = ("*/*/*/seed*/metrics.json", "*/geometry.json", "*/stability.json")
        kinds = (*scores, "*/training/**/*.csv", "figures/*-samples.json")
        results = self.root / self._layout.results
        found = sorted(path for kind in kinds for path in results.glob(kind))
        return hash_data([[path.as_posix(), hash_file(path)] for path in found])

    def paper_tables(self, *kinds: str) -> list[str]:
        """The publication's tables in some of their formats, all if none is named, and the page of
        the runs in them."""
        stems = [table.stem(name) for name, table in self._published.tables.items()]
        chosen = kinds or ("csv", "md", "tex", "html")
        names = [f"{stem}.{kind}" for stem in stems for kind in chosen]
        names += [f"runs.{kind}" for kind in chosen if kind in ("md", "html")]
        return [str(self._layout.tables / name) for name in names]

    def figures(self, *kinds: str) -> list[str]:
        """The figures that can always be drawn, as PNG and PDF if no format is named."""
        figures, chosen = self._layout.figures, kinds or ("png", "pdf")
        return [str(figures / f"{name}.{kind}") for name in FIGURES for kind in chosen]

    def analyses(self) -> list[str]:
        """What tables show beside the headlines: more variants, measures of base and reference.

        Where there is one reference only, nothing can be said of how far references differ.
        """
        several = len(self.experiment.groups) > 1
        measures = [self._layout.geometry, *([self._layout.stability] if several else [])]
        return [*map(str, measures), *self._further_variants()]

    def _further_variants(self) -> list[str]:
        """Scores of variants that no headline shows: ablations of a published row, our controls."""
        return [
            str(self._layout.metrics(variant, benchmark, self.experiment.main.seed))
            for table in self._published.tables.values()
            for variant in table.variants
            if variant not in self.variants()
            for benchmark in table.benchmarks
            if benchmark in self.experiment.main.benchmarks
        ]

    @property
    def _layout(self) -> Layout:
        """Paths as rules name them, below the project's root."""
        return Layout(Path(), self.experiment.scale_name)

    @cached_property
    def _published(self) -> Published:
        return published_of(self.experiment, self.root)

    def sample_pages(self) -> list[str]:
        """The page of sample questions of every configured benchmark."""
        pages = map(self._layout.sample_page, self.experiment.main.benchmarks)
        return [f"{page}.{kind}" for page in pages for kind in ("png", "pdf", "json")]

    def controls_there(self, wildcards: Any) -> str:
        """A hash of the answers of our controls that were run on a benchmark, which no headline
        shows: its page of samples does, and must not run what was not."""
        experiment = self.at(wildcards)
        layout, seed = Layout(Path(), experiment.scale_name), experiment.main.seed
        folders = {
            variant: self.root / layout.predictions(variant, wildcards.benchmark, seed)
            for variant in self._published.controls
            if variant not in experiment.shown_variants
        }
        found = {name: folder / MANIFEST_NAME for name, folder in folders.items()}
        return hash_data(
            [[name, hash_file(path)] for name, path in found.items() if path.is_file()]
        )

    def training_curves(self) -> list[str]:
        """The curve of every training of the configured seed behind the tables over seeds."""
        experiment, seed, layout = self.experiment, self.experiment.main.seed, self._layout
        found: dict[str, None] = {}
        for benchmark in experiment.main.benchmarks:
            for variant in self.seed_variants():
                if experiment.variants[variant].x == "aligned":
                    folder = layout.align(experiment.align_name(variant, benchmark), seed)
                    found[str(layout.curve(folder))] = None
                if experiment.variants[variant].sft:
                    folder = layout.sft(variant, experiment.trainer_of(benchmark), seed)
                    found[str(layout.curve(folder))] = None
        return list(found)

    def targets(self) -> dict[str, list[str]]:
        """Files by the name of the target that stands for them."""
        return named_targets(self.experiment)

    def variants(self) -> list[str]:
        """lynx and the variants shown beside it."""
        return list(self.experiment.shown_variants)

    def seed_variants(self) -> list[str]:
        """Those of the tables over seeds."""
        return list(self.experiment.seed_variants)


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


def slice_of(stage: str, experiment: Experiment, *names: str) -> str:
    """The config slice of a stage as text: a rule's parameter, so that a change re-runs it."""
    found = getattr(slices, f"{stage}_slice")(experiment, *names)
    return json.dumps(found, sort_keys=True)
