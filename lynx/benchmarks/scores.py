"""What a benchmark's metrics come to: values with the number of items behind each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Metric:
    """A value (a fraction; CIDEr up to 10) and the number of items it was computed over."""

    value: float
    count: int


@dataclass(frozen=True)
class Scores:
    """All metrics of a benchmark's protocol over one set of predictions.

    ``metrics``: key -> metric, in the protocol's order, over all ``samples`` annotated items.
    ``groups``: grouping ("type" or a tag) -> group -> the same metrics over the items of the group.
    ``missing`` items have no prediction, ``empty`` ones a blank prediction; both count as wrong.
    """

    metrics: dict[str, Metric]
    groups: dict[str, dict[str, dict[str, Metric]]]
    samples: int
    missing: int
    empty: int

    def as_dict(self) -> dict[str, Any]:
        """The scores as JSON types, as they stand in ``metrics.json``."""
        return asdict(self)
