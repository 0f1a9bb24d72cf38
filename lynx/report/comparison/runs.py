"""The runs that `lynx compare` is given: scores, answers and questions, checked on the way in.

What stands in `metrics.json` is computed again from the answers, so that intervals are of the
numbers that were published and of no others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lynx.artifacts.manifest import parent_entry
from lynx.artifacts.sealed import number_problems
from lynx.artifacts.verify import require_parent, require_stage
from lynx.benchmarks import get_benchmark
from lynx.benchmarks.sample import Sample, read_samples
from lynx.benchmarks.scores import Scores
from lynx.config.decided import place_of
from lynx.config.layout import Layout
from lynx.config.roots import find_root
from lynx.errors import InputError
from lynx.evaluate.metrics_file import AGAIN, FILE_NAME, count_problems, read_report
from lynx.evaluate.predictions import read_predictions
from lynx.evaluate.verified import other_predictions, other_values, place_problems

SAME = ("benchmark", "split")
TELLING = ("scale", "recipe")
"""What a run is called by where runs differ in it, beside variant and seed."""


@dataclass(frozen=True)
class Score:
    """A `metrics.json` as read, and the project that it belongs to."""

    path: Path
    root: Path
    report: dict[str, Any] = field(repr=False)

    @classmethod
    def read(cls, path: Path, root: Path | None) -> Score:
        """Read and check one by itself, given the file or its folder."""
        file = path / FILE_NAME if path.is_dir() else path
        report = read_report(file)
        for problem in (*number_problems(file, report, AGAIN), *count_problems(file, report)):
            raise InputError(problem)
        return cls(file, find_root(file) if root is None else root, report)

    @property
    def run(self) -> str:
        """The run that it says it is of."""
        named = self.report
        return f"{named['scale']}/{named['variant']}/{named['benchmark']}/seed{named['seed']}"

    @property
    def layout(self) -> Layout:
        """Where the run's artefacts lie."""
        return Layout(self.root, self.report["scale"])

    @property
    def predictions(self) -> Path:
        """The folder of the run's answers."""
        named = self.report
        return self.layout.predictions(named["variant"], named["benchmark"], named["seed"])

    @property
    def data(self) -> Path:
        """The folder of the benchmark's questions."""
        return self.layout.data(self.report["benchmark"])

    @property
    def table(self) -> Path:
        """The questions of the split that was scored."""
        return self.data / f"{self.report['split']}.jsonl"


@dataclass(frozen=True)
class Run:
    """A score with the answers behind it and what they come to, question by question."""

    score: Score
    label: str
    answers: dict[str, str] = field(repr=False)
    scores: Scores = field(repr=False)


@dataclass(frozen=True)
class Runs:
    """Two or more runs over the same questions, the one that others are compared with first."""

    samples: list[Sample]
    runs: list[Run]


def read_runs(paths: Sequence[Path], root: Path | None = None) -> Runs:
    """Read scores, given files or their folders, with their answers and questions.

    Raises InputError for fewer than two, a file that is no score, one run given twice, runs of
    different benchmarks, splits or questions, and answers that are absent or not those scored.
    """
    scores = [Score.read(path, root) for path in paths]
    for problem in _unfit(scores):
        raise InputError(problem)
    tables = [_questions(score) for score in scores]
    for score, samples in zip(scores, tables, strict=True):
        if _asked(samples) != _asked(tables[0]):
            raise InputError(
                f"{score.table}: its questions and references are not those of {scores[0].table}, "
                "expected the same ones; compare runs of the same annotation"
            )
    return Runs(tables[0], [_run(score, tables[0], scores) for score in scores])


def _unfit(scores: Sequence[Score]) -> Iterator[str]:
    """Why scores cannot be laid beside each other."""
    if len(scores) < 2:
        names = ", ".join(str(score.path) for score in scores)
        yield f"{names}: one score is given, expected two or more; name another {FILE_NAME}"
    seen: dict[tuple[str, str], Score] = {}
    for score in scores:
        first = seen.setdefault((os.path.realpath(score.root), score.run), score)
        if first is not score:
            yield (
                f"{score.path}: says it is run {score.run}, and so does {first.path}, expected "
                "every run once; give one of the two"
            )
        yield from _misplaced(score)
        for key in SAME:
            found, expected = score.report[key], scores[0].report[key]
            if found != expected:
                yield (
                    f"{score.path}: {key} is {found}, expected {expected} as in {scores[0].path}; "
                    f"compare runs of one {key}"
                )


def _misplaced(score: Score) -> Iterator[str]:
    place = place_of(Path(os.path.relpath(score.path, score.root)))
    if place is not None:
        yield from place_problems(score.path, score.report, place)


def _questions(score: Score) -> list[Sample]:
    """The questions that a run answered; its answers and they are as published."""
    manifest = require_stage(score.predictions, "predict", deep=True)
    for problem in other_predictions(score.path, score.report, score.predictions):
        raise InputError(problem)
    require_stage(score.data, "data", deep=True)
    require_parent(score.predictions, manifest, parent_entry(score.data))
    return read_samples(score.table)


def _asked(samples: Sequence[Sample]) -> list[object]:
    return [(sample.id, sample.turns, sample.references, sample.options) for sample in samples]


def _run(score: Score, samples: Sequence[Sample], scores: Sequence[Score]) -> Run:
    answers = read_predictions(score.predictions)
    found = get_benchmark(score.report["benchmark"]).score(samples, answers)
    for problem in other_values(score.path, score.report, found.as_dict(), score.predictions):
        raise InputError(problem)
    return Run(score, _label(score, scores), answers, found)


def _label(score: Score, scores: Sequence[Score]) -> str:
    """What tells a run from the others: variant and seed, and more only where that differs."""
    report = score.report
    parts = [f"{report['variant']}, seed {report['seed']}"]
    for key in TELLING:
        if len({other.report[key] for other in scores}) > 1:
            parts.append(f"{key} {report[key]}")
    if len({os.path.realpath(other.root) for other in scores}) > 1:
        parts.append(os.path.abspath(score.root))
    return ", ".join(parts)
