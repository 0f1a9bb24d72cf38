"""What differs between two pieces of plain data, by dotted key; their numbers, by dotted key."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SHOWN = 80
ABSENT = "absent"


@dataclass(frozen=True)
class Difference:
    """One key with both values as JSON texts, `absent` where there is no such key."""

    key: str
    old: str
    new: str


def differences(old: object, new: object, key: str = "") -> Iterator[Difference]:
    """Where two pieces of plain data part, in the order of the old one's keys, then the new's.

    Mappings and lists of mappings of equal length are entered; any other value is compared whole.
    """
    left, right = _entries(old), _entries(new)
    if left is None or right is None or not _alike(old, new):
        if old != new:
            yield Difference(key, shown(old), shown(new))
        return
    for name in dict.fromkeys([*left, *right]):
        inner = f"{key}.{name}" if key else name
        if name in left and name in right:
            yield from differences(left[name], right[name], inner)
        else:
            yield Difference(
                inner,
                shown(left[name]) if name in left else ABSENT,
                shown(right[name]) if name in right else ABSENT,
            )


def _entries(data: object) -> Mapping[str, object] | None:
    if isinstance(data, Mapping):
        return data
    if isinstance(data, list) and data and all(isinstance(item, Mapping) for item in data):
        return {str(number): item for number, item in enumerate(data)}
    return None


def _alike(old: object, new: object) -> bool:
    """Two mappings, or two lists of one length."""
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new)
    return isinstance(old, Mapping) and isinstance(new, Mapping)


def shown(value: object) -> str:
    """A value as JSON."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def brief(text: str) -> str:
    """A text that fits into a sentence."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def numbers(data: object, key: str = "") -> Iterator[tuple[str, float]]:
    """Every number of plain data with its dotted key; truth values are none."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield from numbers(value, f"{key}.{name}" if key else str(name))
    elif isinstance(data, list | tuple):
        for place, value in enumerate(data):
            yield from numbers(value, f"{key}.{place}" if key else str(place))
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield key, data


def not_finite(data: object) -> tuple[str, float] | None:
    """The first number that is infinite or not a number, with its dotted key."""
    return next(((key, value) for key, value in numbers(data) if not math.isfinite(value)), None)
