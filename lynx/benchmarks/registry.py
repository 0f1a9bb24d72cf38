"""What a benchmark is, and the benchmarks by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lynx.benchmarks.annotation import Annotation
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scores import Scores
from lynx.benchmarks.source import Source
from lynx.registry import Registry


class ReadAnnotation(Protocol):
    def __call__(
        self, annotations_root: Path, split: str, allow_missing: float = 0.0
    ) -> Annotation: ...


@dataclass(frozen=True)
class Benchmark:
    """One task with its own data, prompt and metric.

    ``title`` is its name in tables, ``group`` the family of benchmarks it is reported with,
    ``modality`` the X it is about. ``splits`` are those ``read`` knows, the first one for training
    where the benchmark is not trained on another.
    ``read`` turns the raw annotation of a split into samples; of its items, the share
    ``allow_missing`` may be unusable. ``prompt(sample, turn)`` is the user text of a turn behind
    ``<image>\\n``. ``score(samples, predictions)`` takes id -> answer and gives every key of
    ``metrics``, in that order. All of them raise InputError for wrong input. Where ``letters`` are
    given nothing is generated: the answer is the letter with the highest logit at the first answer
    position, each letter read with and without a leading space. Where a prompt depends on which
    frames are shown, ``at_moments(sample, moments)`` gives the sample that has what is there at
    these moments, in seconds of the clip. ``source`` says where the raw data come from; without one
    `lynx inventory` says that it is not known.
    """

    name: str
    title: str
    group: str
    modality: str
    splits: tuple[str, ...]
    metrics: tuple[str, ...]
    read: ReadAnnotation
    prompt: Callable[[Sample, int], str]
    score: Callable[[Sequence[Sample], Mapping[str, str]], Scores]
    letters: tuple[str, ...] = ()
    at_moments: Callable[[Sample, Sequence[float]], Sample] | None = None
    source: Source | None = None


_BENCHMARKS = Registry[Benchmark]("benchmark", "correct the configuration")


def register(benchmark: Benchmark) -> None:
    """Add a benchmark under its name; ValueError if it is taken."""
    _BENCHMARKS.register(benchmark.name, benchmark)


def get_benchmark(name: str) -> Benchmark:
    """Look a benchmark up by its exact name; InputError if there is none."""
    return _BENCHMARKS.get(name)


def benchmark_names() -> tuple[str, ...]:
    """Registered names in alphabetical order."""
    return _BENCHMARKS.names()
