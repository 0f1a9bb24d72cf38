"""A figure over seeds, and how it stands to a published one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A figure of several runs that differ in their seed alone: every value, in seed order."""

    values: tuple[float, ...]

    @classmethod
    def over_seeds(cls, values: Sequence[float], *, trained: bool) -> Spread:
        """Of runs with an adapter or without: without one no run depends on its seed, so that
        equal values are one value, of which no deviation is known.
        """
        one = not trained and len(set(values)) == 1
        return cls(tuple(values[:1] if one else values))

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation over seeds; one seed says nothing of it."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    def text(self, digits: int = 1, factor: float = 1.0) -> str:
        """Mean and deviation, times a factor."""
        mean = f"{factor * self.mean:.{digits}f}"
        deviation = self.deviation
        return mean if deviation is None else f"{mean} ± {factor * deviation:.{digits}f}"

    def is_beyond(self, other: float) -> bool | None:
        """Whether another value lies more than one deviation from the mean; None for one seed."""
        deviation = self.deviation
        return None if deviation is None else abs(self.mean - other) > deviation
