"""What the tiny base reads: every world's questions, and what of them pictures can answer."""

from __future__ import annotations

from collections import Counter

import pytest

from lynx.demo.base.texts import POOLS, Text, scene_texts
from lynx.demo.base.tokenizer import train_tokenizer
from lynx.demo.choice import LETTERS
from lynx.demo.events.happening import FLASH_FRAMES, FRAMES, flashes
from lynx.media.video import clip_indices


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    return [text for index in range(60) for text in scene_texts(5, index)]


def test_every_sense_is_asked_about_and_only_colour_is_taught(texts: list[Text]) -> None:
    needs = {text.needs for text in texts}
    assert needs == {"colour", "depth", "fast", "sound", "view"}
    for text in texts:
        assert text.pool in POOLS
        if text.pool != "dialog":  # a conversation holds turns of both
            assert (text.pool == "guess") == (text.needs != "colour")


def test_choices_are_answered_by_letters(texts: list[Text]) -> None:
    for text in texts:
        if text.kind.startswith("choice"):
            assert text.references[0] in LETTERS
            assert text.turns[-1][1] == text.references[0]


def test_guesses_are_even(texts: list[Text]) -> None:
    answers = Counter(text.references[0] for text in texts if text.kind == "skill")
    assert set(answers) == {"Novice", "Early Expert", "Intermediate Expert", "Late Expert"}
    assert max(answers.values()) <= 20  # of 60


def test_the_tokenizer_knows_every_word_of_an_answer() -> None:
    tokenizer = train_tokenizer(5)
    for word in (*LETTERS, "flute", "xylophone", "red", "floor", "yes", "two"):
        assert len(tokenizer.tokenize(word)) == 1
    said = tokenizer.tokenize("i can hear a bell ringing and then rain falling .")
    assert [part.removeprefix("Ġ") for part in said] == [
        *("i", "can", "hear", "a", "bell", "ringing", "and", "then", "rain", "falling", ".")
    ]


def test_a_flash_lies_between_slow_frames_and_shows_in_a_dense_one() -> None:
    slow, dense = clip_indices(FRAMES, 4), clip_indices(FRAMES, 16)
    for index in range(300):
        seen = flashes(5, index)
        assert len(seen) == 1 + index % 2
        for flash in seen:
            assert not any(flash.lights(frame) for frame in slow)
            assert any(flash.lights(frame) for frame in dense)
            assert sum(flash.lights(frame) for frame in range(FRAMES)) == FLASH_FRAMES
