"""A metric before it is pooled: what each item adds to it, so that items can be drawn anew.

``N`` items, ``K`` statistics of an item, ``R`` sets of items.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]
OfSums = Callable[[Table], Table]


@dataclass(frozen=True)
class PerItem:
    """One metric of one set of predictions.

    ``rows`` (N, K) are the items' statistics in annotation order. ``of_sums`` takes (R, K), a row
    the sum of the statistics of a set of items, and gives (R,), the metric of each set. A metric
    that is a mean over parts of the items has ``strata`` (N,): the part of each item.
    """

    rows: Table
    of_sums: OfSums
    strata: NDArray[np.intp] | None = None

    def alone(self) -> Table:
        """The metric of each item by itself (N,)."""
        return self.of_sums(self.rows)

    def pooled(self) -> float:
        """The metric of all items."""
        return float(self.of_sums(self.rows.sum(axis=0, keepdims=True))[0])

    def only(self, items: NDArray[np.intp]) -> PerItem:
        """The same of some items, given by their places."""
        strata = None if self.strata is None else self.strata[items]
        return replace(self, rows=self.rows[items], strata=strata)


def mean(values: Sequence[float] | Table) -> PerItem:
    """A metric that is the mean of a value of each item."""
    column = np.asarray(values, dtype=float)
    return PerItem(np.column_stack([column, np.ones_like(column)]), _ratio)


def mean_of_parts(values: Sequence[float], parts: Sequence[Hashable]) -> PerItem:
    """A metric that is the unweighted mean, over the parts of the items, of a part's mean."""
    numbers = {part: number for number, part in enumerate(dict.fromkeys(parts))}
    strata = np.array([numbers[part] for part in parts], dtype=np.intp)
    member = np.eye(len(numbers))[strata]
    sums = member * np.asarray(values, dtype=float)[:, None]
    return PerItem(np.column_stack([sums, member]), _mean_of_ratios, strata)


def _ratio(sums: Table) -> Table:
    ratio: Table = sums[:, 0] / sums[:, 1]
    return ratio


def _mean_of_ratios(sums: Table) -> Table:
    values, counts = np.split(sums, 2, axis=1)
    there = counts > 0
    ratios = np.divide(values, counts, out=np.zeros_like(values), where=there)
    average: Table = ratios.sum(axis=1) / there.sum(axis=1)
    return average
