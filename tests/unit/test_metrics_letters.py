from __future__ import annotations

import pytest

from lynx.metrics.letters import first_letter, letter_word
from lynx.metrics.multiple_choice import letter_of

LETTERS = ("A", "B", "C", "D")


@pytest.mark.parametrize(
    ("text", "first", "word", "word_any_case", "strict"),
    [
        ("B", "B", "B", "B", "B"),
        ("(B) a dog", "B", "B", "B", "B"),
        ("b", None, None, "B", None),
        ("Answer: C", "C", "C", "C", None),
        ("The best answer is D.", "D", "D", "D", None),
        ("Best option: (C)", "C", "C", "C", None),
        ("Apples, not B", "A", "B", "B", None),  # any capital counts for the first rule
        ("a dog is at B", "B", "B", "A", None),  # the article counts for the third
        ("A dog is at B", "A", "A", "A", None),
        ("E", None, None, None, None),
        ("none", None, None, None, None),
        ("", None, None, None, None),
    ],
)
def test_how_a_letter_is_read(
    text: str, first: str | None, word: str | None, word_any_case: str | None, strict: str | None
) -> None:
    assert first_letter(text, LETTERS) == first
    assert letter_word(text, LETTERS, any_case=False) == word
    assert letter_word(text, LETTERS, any_case=True) == word_any_case
    assert letter_of(text, LETTERS) == strict
