"""What every scorer shares: references and groups of the samples, and metrics put into `Scores`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from lynx.benchmarks.annotation import unique
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scores import Metric, Scores
from lynx.errors import InputError
from lynx.metrics.per_item import PerItem

# A grouping and one of its groups, such as ("type", "What").
Group = tuple[str, str]


class Counted(Protocol):
    """The counts behind a set of metrics: all items, those unanswered and those left blank."""

    @property
    def count(self) -> int: ...
    @property
    def missing(self) -> int: ...
    @property
    def empty(self) -> int: ...


def references_of(samples: Sequence[Sample]) -> dict[str, tuple[str, ...]]:
    """Sample id -> references.

    Raises:
        InputError: a sample stands twice, or its answer is not public.
    """
    unique((sample.id for sample in samples), "samples to score")
    for sample in samples:
        if not sample.references:
            raise InputError(
                f"sample {sample.id!r}: found no reference answers, expected at least one; the "
                "answers of this split are not public, so score another split"
            )
    return {sample.id: sample.references for sample in samples}


def group_members(samples: Sequence[Sample]) -> dict[Group, list[str]]:
    """Sample ids of each group: question types first, then tags; groups in alphabetical order."""
    types: dict[Group, list[str]] = {}
    tags: dict[Group, list[str]] = {}
    for sample in samples:
        if sample.type is not None:
            types.setdefault(("type", sample.type), []).append(sample.id)
        for tag in sample.tags.items():
            tags.setdefault(tag, []).append(sample.id)
    return dict(sorted(types.items())) | dict(sorted(tags.items()))


def assemble(
    overall: Counted,
    values: Mapping[str, float],
    members: Mapping[Group, Sequence[str]],
    groups: Mapping[Group, Mapping[str, float]],
    per_item: Mapping[str, PerItem],
) -> Scores:
    """Metric -> value, over all items and in each group, with the number of items behind it."""
    nested: dict[str, dict[str, dict[str, Metric]]] = {}
    for (grouping, group), group_values in groups.items():
        size = len(members[grouping, group])
        nested.setdefault(grouping, {})[group] = _with_count(group_values, size)
    return Scores(
        metrics=_with_count(values, overall.count),
        groups=nested,
        samples=overall.count,
        missing=overall.missing,
        empty=overall.empty,
        per_item=per_item,
    )


def _with_count(values: Mapping[str, float], count: int) -> dict[str, Metric]:
    return {key: Metric(value, count) for key, value in values.items()}
