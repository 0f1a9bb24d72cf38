"""What a benchmark's metrics come to: values with the number of items behind each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lynx.metrics.per_item import PerItem


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
    ``per_item``: key -> what each sample, in the order given, adds to that metric, for intervals; a
    metric that cannot say is not in it.
    """

    metrics: dict[str, Metric]
    groups: dict[str, dict[str, dict[str, Metric]]]
    samples: int
    missing: int
    empty: int
    per_item: Mapping[str, PerItem] = field(default_factory=dict, compare=False, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """The scores as JSON types, as they stand in ``metrics.json``."""
        return {
            "metrics": {key: asdict(metric) for key, metric in self.metrics.items()},
            "groups": {
                grouping: {
                    group: {key: asdict(metric) for key, metric in metrics.items()}
                    for group, metrics in groups.items()
                }
                for grouping, groups in self.groups.items()
            },
            "samples": self.samples,
            "missing": self.missing,
            "empty": self.empty,
        }
