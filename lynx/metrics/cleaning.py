"""The answer cleaning of the LEO protocol, which ScanQA and SQA3D numbers of LLM papers rest on.

Both the prediction and the references are cleaned before any comparison. The order of the steps
is part of the protocol and has visible consequences, kept here because published numbers carry
them: spaces are trimmed *before* characters are dropped, so ``"chair ."`` ends as ``"chair "``;
whole-word repairs run *before* a trailing digit goes, so ``"tv2"`` ends as ``"tv"``, not ``"TV"``.
"""

from __future__ import annotations

import re
from typing import Final

# Whole words as misspelt in the data -> the word meant. Two published copies of the list differ in
# the misspellings of "right" (one has `rght`, one `rigth`); this is their union.
SPELLING: Final[dict[str, str]] = {
    "letf": "left",
    "let": "left",  # a lossy rule of the protocol: the verb "let" becomes "left" too
    "tehre": "there",
    "rigth": "right",
    "brght": "right",
    "brigth": "right",
    "rght": "right",
    "behine": "behind",
    "tv": "TV",  # upper case on purpose, after the text was lower-cased
    "chai": "chair",
    "wasing": "washing",
    "waslked": "walked",
    "oclock": "o'clock",
}

# Whole-word numbers as words; the protocol stops at 20 and adds 23 alone.
NUMBERS: Final[dict[str, str]] = {
    "0": "zero",
    "none": "zero",
    "1": "one",
    "2": "two",
    "3": "three",
    "4": "four",
    "5": "five",
    "6": "six",
    "7": "seven",
    "8": "eight",
    "9": "nine",
    "10": "ten",
    "11": "eleven",
    "12": "twelve",
    "13": "thirteen",
    "14": "fourteen",
    "15": "fifteen",
    "16": "sixteen",
    "17": "seventeen",
    "18": "eighteen",
    "19": "nineteen",
    "20": "twenty",
    "23": "twenty-three",
}

# One pass per article, in this order: "a the chair" loses both, "the a chair" too, but of
# "a a chair" one stays, because the word behind a removed article is consumed by the match.
ARTICLES: Final[tuple[str, ...]] = ("a", "an", "the")

FINAL_SPELLING: Final[dict[str, str]] = {"backwards": "backward"}

_SPACES = re.compile(r" {2,}")
_DROPPED = re.compile(r"[^a-zA-Z0-9,'\s\-:]+")
_SPLIT_OCLOCK = re.compile(r"\bo' +clock\b")
_NUMBERED_WORD = re.compile(r"\b([a-zA-Z]+)[0-9]\b")
_ARTICLES = tuple(re.compile(rf"\b{article} ([a-zA-Z]+)") for article in ARTICLES)


def _whole_words(table: dict[str, str]) -> re.Pattern[str]:
    longest_first = sorted(table, key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b")


_SPELLING = _whole_words(SPELLING)
_NUMBERS = _whole_words(NUMBERS)
_FINAL_SPELLING = _whole_words(FINAL_SPELLING)


def clean_answer(text: str) -> str:
    """Return ``text`` as the LEO protocol compares it ("released" behaviour of LEO, PAVE, LynX).

    Steps, in order: lower-case; trim and collapse spaces; drop all but letters, digits, comma,
    apostrophe, whitespace, hyphen and colon; ``SPELLING`` and ``o' clock``; ``NUMBERS``; one
    trailing digit off a word (``mat2``); ``ARTICLES`` before a word; ``FINAL_SPELLING``.
    """
    text = _SPACES.sub(" ", text.lower().strip(" "))
    text = _DROPPED.sub("", text)
    text = _SPELLING.sub(lambda match: SPELLING[match[0]], text)
    text = _SPLIT_OCLOCK.sub("o'clock", text)
    text = _NUMBERS.sub(lambda match: NUMBERS[match[0]], text)
    text = _NUMBERED_WORD.sub(r"\1", text)
    for article in _ARTICLES:
        text = article.sub(r"\1", text)
    return _FINAL_SPELLING.sub(lambda match: FINAL_SPELLING[match[0]], text)


def has_content(text: str) -> bool:
    """Whether anything comparable is left of ``text`` once cleaned: one letter or digit."""
    return any(character.isalnum() for character in clean_answer(text))
