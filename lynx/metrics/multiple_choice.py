"""Accuracy where an answer is right or wrong, and how a choice is read from an answer's text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lynx.errors import InputError
from lynx.metrics.coverage import cover

Rule = Callable[[str, str], bool]
"""(prediction, gold) -> right; neither of the two is ever blank."""


@dataclass(frozen=True)
class Accuracy:
    """Fraction of ``count`` items right by each rule; ``missing`` and ``empty`` ones are wrong.

    ``right``: rule -> whether each item is, in the order of the gold answers.
    """

    values: dict[str, float]
    count: int
    missing: int
    empty: int
    right: dict[str, list[bool]] = field(default_factory=dict, compare=False, repr=False)


def accuracy(
    predictions: Mapping[str, str], gold: Mapping[str, str], rules: Mapping[str, Rule]
) -> Accuracy:
    """Score ``predictions`` (id -> text) against ``gold`` (id -> answer) by each of ``rules``.

    The denominator is every id in ``gold``. A missing or blank prediction is wrong whatever the
    rule says: the empty string is contained in every string.

    Raises:
        InputError: a gold answer is blank, or as ``lynx.metrics.coverage.cover`` does.
    """
    for item, answer in gold.items():
        if not answer.strip():
            raise InputError(
                f"item {item!r}: found a blank gold answer, expected text; correct or leave out "
                "the item in the annotation"
            )
    coverage = cover(predictions, gold)
    answers = coverage.texts.items()
    right = {
        name: [bool(text.strip()) and rule(text, gold[item]) for item, text in answers]
        for name, rule in rules.items()
    }
    return Accuracy(
        values={name: sum(items) / len(gold) for name, items in right.items()},
        count=len(gold),
        missing=coverage.missing,
        empty=coverage.empty,
        right=right,
    )


def letter_of(text: str, letters: Sequence[str]) -> str | None:
    """The letter an answer chooses, or None if it is not plainly one of ``letters``.

    The answer is the capital letter itself, in brackets or not, alone or in front of `.`, `)` or
    `:` and more text. Everything else is no choice: in "a dog" and "A dog is at B" the letter may
    be an article, and "Answer: C" is not in the form the prompt asks for.
    """
    found = re.fullmatch(r"\(?([A-Z])(?:[.):].*)?", text.strip(), re.DOTALL)
    return found[1] if found and found[1] in letters else None


def class_of(text: str, classes: Sequence[str]) -> str | None:
    """The one class whose name stands in ``text`` as whole words in any case, else None.

    None too if names of several classes stand there: such an answer does not choose.
    """
    words = " ".join(text.split())
    named = [name for name in classes if re.search(rf"\b{re.escape(name)}\b", words, re.IGNORECASE)]
    return named[0] if len(named) == 1 else None
