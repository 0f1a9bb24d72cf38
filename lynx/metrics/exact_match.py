"""Exact match (EM@1) and refined exact match over cleaned answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lynx.metrics.cleaning import clean_answer, has_content
from lynx.metrics.coverage import cover


@dataclass(frozen=True)
class Match:
    """How one prediction compares to the references of its item; ``em`` implies ``refined``."""

    em: bool
    refined: bool


@dataclass(frozen=True)
class ExactMatch:
    """EM over a set: fractions of ``count`` items, the ``missing`` and ``empty`` ones included.

    ``matches`` are those of the items, in the order of the references.
    """

    em: float
    em_refined: float
    count: int
    missing: int
    empty: int
    matches: tuple[Match, ...] = field(default=(), compare=False, repr=False)


def match(prediction: str, references: Sequence[str]) -> Match:
    """Compare one prediction with its references (LEO protocol, "released" behaviour).

    Both sides go through ``clean_answer``. EM: the prediction equals a reference. Refined: EM, or,
    without whitespace, prediction and some reference contain each other in either direction; this
    is permissive ("a" matches "table"). The empty string is contained in every string, so a
    prediction or a reference without letter or digit after the cleaning matches nothing.
    """
    if not has_content(prediction):
        return Match(em=False, refined=False)
    cleaned = clean_answer(prediction)
    candidates = [clean_answer(reference) for reference in references if has_content(reference)]
    if cleaned in candidates:
        return Match(em=True, refined=True)
    packed = "".join(cleaned.split())
    others = ["".join(candidate.split()) for candidate in candidates]
    return Match(em=False, refined=any(packed in other or other in packed for other in others))


def exact_match(
    predictions: Mapping[str, str], references: Mapping[str, Sequence[str]]
) -> ExactMatch:
    """Score ``predictions`` (id -> answer) against ``references`` (id -> one or more answers).

    The denominator is every id in ``references``; without a prediction an item is wrong. Raises
    InputError as ``lynx.metrics.coverage.cover`` does.
    """
    coverage = cover(predictions, references)
    matches = [match(text, references[item]) for item, text in coverage.texts.items()]
    return ExactMatch(
        em=sum(item.em for item in matches) / len(matches),
        em_refined=sum(item.refined for item in matches) / len(matches),
        count=len(matches),
        missing=coverage.missing,
        empty=coverage.empty,
        matches=tuple(matches),
    )
