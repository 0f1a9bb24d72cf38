"""The LEO answer cleaning and the two exact-match metrics as the released evaluations compute them.

The ordering facts pin the sequence of the steps: each case comes out differently if two steps swap.
"""

from __future__ import annotations

import pytest

from lynx.metrics.cleaning import clean_answer
from lynx.metrics.exact_match import Match, match

WRONG = Match(em=False, refined=False)
REFINED = Match(em=False, refined=True)
RIGHT = Match(em=True, refined=True)


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("a brown chair.", "brown chair", RIGHT),
        ("chair", "brown chair", REFINED),
        ("", "brown chair", WRONG),
        ("2", "two", RIGHT),
        ("tv", "TV", RIGHT),
        ("desk", "brown chair", WRONG),
    ],
)
def test_released_pairs(prediction: str, reference: str, expected: Match) -> None:
    assert match(prediction, [reference]) == expected


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  Brown   CHAIR ", "brown chair"),
        ("what? a (red) lamp!", "what red lamp"),
        ("o'clock, left-most: two", "o'clock, left-most: two"),
        ("tv", "TV"),
        ("letf let tehre", "left left there"),
        ("rigth brght brigth rght", "right right right right"),
        ("behine chai wasing waslked", "behind chair washing walked"),
        ("5 oclock or 5 o' clock", "five o'clock or five o'clock"),
        ("none", "zero"),
        ("0 20 21 22 23 24", "zero twenty 21 22 twenty-three 24"),
        ("mat2 desk12", "mat desk12"),
        ("an apple on the table by a door", "apple on table by door"),
        ("the", "the"),
        ("backwards", "backward"),
        ("chairs lettuce nonetheless", "chairs lettuce nonetheless"),
    ],
)
def test_each_rule(raw: str, cleaned: str) -> None:
    assert clean_answer(raw) == cleaned


@pytest.mark.parametrize(
    ("raw", "cleaned", "why"),
    [
        ("chair .", "chair ", "trimmed before characters are dropped"),
        ("black & white", "black  white", "spaces collapsed before characters are dropped"),
        ("o.clock", "o.clock".replace(".", "'"), "dropped before the typos are fixed"),
        ("1.5", "fifteen", "dropped before digits become words"),
        ("tv2", "tv", "typos fixed before a trailing digit goes"),
        ("let2", "let", "typos fixed before a trailing digit goes"),
        ("the chai", "chair", "typos fixed before articles go"),
        ("a 2", "two", "digits become words before articles go"),
        ("the 21", "the 21", "an article goes only before letters"),
        ("a1 lamp", "lamp", "a trailing digit goes before articles do"),
        ("a the chair", "chair", "articles go in the order a, an, the"),
        ("the a chair", "chair", "each article has its own pass"),
        ("a a chair", "a chair", "the word behind an article is consumed with it"),
        ("TV", "TV", "lower-cased first, so that capitals are typos too"),
    ],
)
def test_order_of_the_steps(raw: str, cleaned: str, why: str) -> None:
    assert clean_answer(raw) == cleaned, why
