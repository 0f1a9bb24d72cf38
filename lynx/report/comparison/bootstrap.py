"""Paired bootstrap over questions (Efron and Tibshirani 1993; Koehn 2004 for pooled metrics).

A resample draws as many questions as there are, with replacement, and every run is scored on the
same draw, so that what is hard or easy about a question cancels in a difference of runs. A metric
that is a mean over tasks draws within each task. Intervals are percentiles of the resampled values.

``N`` questions, ``K`` statistics of a question, ``R`` resamples, ``P`` runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lynx.metrics.per_item import PerItem, Table

RESAMPLES = 10_000
LEVEL = 0.95
SEED = 0
# Draws that are held at a time: 32 MB of places, and as much again of counts.
_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Interval:
    """Percentiles that hold ``LEVEL`` of the resampled values of a metric or of a difference."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0 or self.high < 0

    @classmethod
    def of(cls, values: Table) -> Interval:
        """Of the resampled values (R,)."""
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(values, [tail, 1 - tail])
        return cls(float(low), float(high))


@dataclass(frozen=True)
class Paired:
    """One metric of each run: its value, and the intervals of it and of its difference to the
    first run's."""

    values: tuple[float, ...]
    runs: tuple[Interval, ...]
    differences: tuple[Interval, ...]

    @classmethod
    def of(cls, values: Table) -> Paired:
        """Of the runs' values (P, 1 + R): of all questions, then of draws, a column the same."""
        drawn = values[:, 1:]
        return cls(
            tuple(values[:, 0].tolist()),
            tuple(Interval.of(run) for run in drawn),
            tuple(Interval.of(run - drawn[0]) for run in drawn),
        )


def paired_intervals(metrics: Mapping[str, Sequence[PerItem]]) -> dict[str, Paired]:
    """Intervals by metric, each given once a run, over the same questions in the same order."""
    found: dict[str, Paired] = {}
    for together in _drawn_alike(metrics):
        first = metrics[together[0]][0]
        tables = [item.rows for name in together for item in metrics[name]]
        rows = np.hstack(tables)
        sums = np.vstack([rows.sum(axis=0), resampled_sums(rows, first.strata)])
        ends = np.cumsum([table.shape[1] for table in tables])[:-1]
        parts = iter(np.split(sums, ends, axis=1))
        for name in together:
            runs = metrics[name]
            # One call for all runs: METEOR's takes seconds to start.
            values = runs[0].of_sums(np.vstack([next(parts) for _ in runs]))
            found[name] = Paired.of(values.reshape(len(runs), -1))
    return {name: found[name] for name in metrics}


def _drawn_alike(metrics: Mapping[str, Sequence[PerItem]]) -> list[list[str]]:
    """Names of metrics that can share their draws: by the strata that they are drawn within."""
    alike: dict[bytes, list[str]] = {}
    for name, runs in metrics.items():
        strata = runs[0].strata
        alike.setdefault(b"" if strata is None else strata.tobytes(), []).append(name)
    return list(alike.values())


def resampled_sums(rows: Table, strata: NDArray[np.intp] | None = None) -> Table:
    """The statistics (N, K) of the questions of each resample, added up: (R, K).

    With ``strata`` (N,) every resample has as many questions of each as there are.
    """
    generator = np.random.default_rng(SEED)
    counts = _draws(generator, len(rows), strata)
    return np.concatenate([each @ rows for each in counts])


def _draws(
    generator: np.random.Generator, questions: int, strata: NDArray[np.intp] | None
) -> Iterator[Table]:
    """How often each question is drawn, (R', N) with R' resamples at a time."""
    parts = [np.arange(questions)]
    if strata is not None:
        parts = [np.flatnonzero(strata == part) for part in np.unique(strata)]
    at_once = max(1, _AT_ONCE // questions)
    for start in range(0, RESAMPLES, at_once):
        size = min(at_once, RESAMPLES - start)
        drawn = np.hstack(
            [part[generator.integers(len(part), size=(size, len(part)))] for part in parts]
        )
        places = drawn + questions * np.arange(size)[:, None]
        counts = np.bincount(places.ravel(), minlength=size * questions)
        yield counts.reshape(size, questions).astype(float)
