"""Which benchmarks' training splits a benchmark is trained on (`trained_on` of its file)."""

from __future__ import annotations

from collections.abc import Mapping

from lynx.config.experiment import Experiment
from lynx.config.explain import unknown_name
from lynx.config.files import BenchmarkConfig
from lynx.errors import InputError


def has_scores(item: BenchmarkConfig) -> bool:
    """Whether a benchmark has a split besides the one that it trains on."""
    return item.trained_on is not None or len(item.splits) > 1


def trained_on(benchmarks: Mapping[str, BenchmarkConfig], trainer: str) -> list[str]:
    """The other benchmarks that are trained on `trainer`, in name order."""
    return sorted(name for name, item in benchmarks.items() if item.trained_on == trainer)


def training_sources(experiment: Experiment, variant: str, benchmark: str) -> list[tuple[str, ...]]:
    """The benchmarks whose training splits the adapters of a run met: of each stage's one list."""
    chosen = experiment.variants[variant]
    met: list[tuple[str, ...]] = [(experiment.trainer_of(benchmark),)] if chosen.sft else []
    if chosen.x == "aligned":
        alignment = experiment.alignments[experiment.align_name(variant, benchmark)]
        groups = [experiment.group_recipe(group) for group in alignment.references]
        met += [alignment.settings.sources, *(recipe.reference.sources for recipe in groups)]
    return met


def tables_read(experiment: Experiment, variant: str, benchmark: str) -> list[str]:
    """The benchmarks whose tables answering one reads: its own first, then all that a run met."""
    met = training_sources(experiment, variant, benchmark)
    return list(dict.fromkeys((benchmark, *(name for names in met for name in names))))


def check_training(benchmarks: Mapping[str, BenchmarkConfig]) -> None:
    """Refuse a `trained_on` that is unknown, of another group, or itself trained on another.

    Raises `InputError` about the first one.
    """
    for name, item in benchmarks.items():
        trainer = item.trained_on
        if trainer is None:
            continue
        where = f"config/benchmarks/{name}.yaml: key 'trained_on'"
        if trainer not in benchmarks:
            raise unknown_name(where, "benchmark", trainer, benchmarks)
        other = benchmarks[trainer]
        if other.trained_on is not None:
            raise InputError(
                f"{where} names '{trainer}', which is trained on '{other.trained_on}'; expected a "
                "benchmark with a training split of its own, so name that one, or leave the key "
                "out where the benchmark has one itself"
            )
        if other.group != item.group:
            raise InputError(
                f"{where} names '{trainer}' of group '{other.group}', expected one of "
                f"'{item.group}' because both share frames and alignment; correct either"
            )
