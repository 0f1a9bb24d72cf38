"""How evaluators read the chosen letter from an answer in words; each is lenient in its own way.

`lynx.metrics.multiple_choice.letter_of` is the strict reading beside them: it shows how much of a
score the leniency is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_STOCK_PHRASES = (
    "The best answer is",
    "The correct answer is",
    "The answer is",
    "The answer",
    "The best option is",
    "The correct option is",
    "Best answer:",
    "Best option:",
    "Answer:",
    "Option:",
)


def first_letter(text: str, letters: Sequence[str]) -> str | None:
    """The first of ``letters``, anywhere, once stock phrases such as "The answer is" are gone.

    "Released" behaviour for Video-MME, except that the published list glues two phrases together.
    Lenient: "Apples, not B" is A, as any capital of a word counts.
    """
    for phrase in _STOCK_PHRASES:
        text = text.replace(phrase, "")
    found = re.search(f"[{''.join(letters)}]", text)
    return found[0] if found else None


def letter_word(text: str, letters: Sequence[str], *, any_case: bool) -> str | None:
    """The first of ``letters`` that stands alone as a word, such as B in "(B) a dog" or "It is B".

    With ``any_case`` small letters count too, an article "a" above all ("released" for MLVU).
    """
    flags = re.IGNORECASE if any_case else 0
    found = re.search(rf"\b[{''.join(letters)}]\b", text, flags)
    return found[0].upper() if found else None
