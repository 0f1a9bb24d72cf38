"""Which annotated items have a prediction: the one denominator of every metric."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lynx.errors import InputError


@dataclass(frozen=True)
class Coverage:
    """One text per annotated item, and how many of them are no answer.

    ``texts`` holds every annotated id in annotation order, ``""`` where no prediction exists.
    ``missing`` items have no prediction, ``empty`` ones a prediction of nothing but whitespace;
    an item is never in both counts, and both kinds are wrong.
    """

    texts: dict[str, str]
    missing: int
    empty: int

    @property
    def count(self) -> int:
        """Number of annotated items, the denominator."""
        return len(self.texts)


def cover(predictions: Mapping[str, str], annotated: Collection[str]) -> Coverage:
    """Lay ``predictions`` (id -> text) over the ``annotated`` ids, each given once.

    Raises:
        InputError: there is nothing to score, or a prediction belongs to no annotated item (it
            comes from another split or an older run).
    """
    if not annotated:
        raise InputError(
            "no annotated items to score: found 0, expected at least 1; check the split"
        )
    strangers = sorted(predictions.keys() - set(annotated))
    if strangers:
        raise InputError(
            f"prediction {strangers[0]!r} (and {len(strangers) - 1} more) belongs to none of the "
            f"{len(annotated)} annotated items; score predictions of this benchmark and split"
        )
    return Coverage(
        texts={item: predictions.get(item, "") for item in annotated},
        missing=sum(item not in predictions for item in annotated),
        empty=sum(not text.strip() for text in predictions.values()),
    )
