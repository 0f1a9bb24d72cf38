"""Instruct files: the training records that PAVE and LynX share, a JSON list of conversations.

An element holds `id`, `video` and `conversations`, which alternate between `human` and `gpt`; the
first human turn opens with the image token and a line break, which the prompt adds again later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lynx.benchmarks.annotation import identifier, numbered, objects, read_json, required
from lynx.benchmarks.sample import Turn
from lynx.chat_tokens import IMAGE_TOKEN
from lynx.errors import InputError

Exchange = tuple[str, str]
"""A question and its answer, as written; either may be blank."""


@dataclass(frozen=True)
class Record:
    """One element: a unique id (repeats of an id are numbered), the video, and what is said.

    ``place`` opens a sentence about the record; ``written_id`` is the id without a number.
    """

    id: str
    video: str
    exchanges: tuple[Exchange, ...]
    place: str
    written_id: str

    def single(self) -> Exchange:
        """The only exchange; InputError if there are more (the released code drops the rest)."""
        if len(self.exchanges) != 1:
            raise InputError(
                f"{self.place}: found {len(self.exchanges)} questions, expected one question and "
                "one answer; use the file as published"
            )
        return self.exchanges[0]


def stands_in(instruct: Path, *official: Path) -> bool:
    """Whether the instruct file is read because none of the official files is there."""
    return instruct.is_file() and not any(path.is_file() for path in official)


def read_instruct(path: Path) -> list[Record]:
    """The records of an instruct file, in its order.

    Raises:
        InputError: a field is missing or of the wrong type, turns do not alternate, the last one
            is not an answer, or the image token is not at the start of the first turn alone. The
            released code skips such records without a word.
    """
    items = objects(read_json(path), str(path))
    places = [f"{path}, item {number} (from 0)" for number in range(len(items))]
    ids = [_id(item, place) for item, place in zip(items, places, strict=True)]
    return [
        Record(name, required(item, "video", str, place), _exchanges(item, place), place, written)
        for name, written, item, place in zip(
            numbered(ids, str(path)), ids, items, places, strict=True
        )
    ]


def fault_of(exchanges: Iterable[Exchange]) -> str | None:
    """Why a conversation cannot be used, or None: "empty question" or "empty answer"."""
    for question, answer in exchanges:
        if not question.strip():
            return "empty question"
        if not answer.strip():
            return "empty answer"
    return None


def turns_of(exchanges: Iterable[Exchange]) -> tuple[Turn, ...]:
    """The exchanges as turns of a sample."""
    return tuple(Turn(question=question, answer=answer) for question, answer in exchanges)


def _id(item: dict[str, Any], place: str) -> str:
    # Converters took the id of the annotation, an integer in AVQA and text elsewhere.
    if type(item.get("id")) is int:
        return str(item["id"])
    return identifier(item, "id", str, place)


def _exchanges(item: dict[str, Any], place: str) -> tuple[Exchange, ...]:
    turns = objects(required(item, "conversations", list, place), f"{place}: field 'conversations'")
    speakers = [required(turn, "from", str, place) for turn in turns]
    if not turns or speakers != ["human", "gpt"] * (len(turns) // 2):
        raise InputError(
            f"{place}: field 'conversations': found turns of {', '.join(speakers) or 'nobody'}, "
            "expected human and gpt in turn, gpt last; use the file as published"
        )
    texts = [required(turn, "value", str, place) for turn in turns]
    _require_one_image(texts, place)
    texts[0] = texts[0].removeprefix(f"{IMAGE_TOKEN}\n")
    return tuple(zip(texts[::2], texts[1::2], strict=True))


def _require_one_image(texts: Sequence[str], place: str) -> None:
    count = sum(text.count(IMAGE_TOKEN) for text in texts)
    if count != 1 or not texts[0].startswith(f"{IMAGE_TOKEN}\n"):
        raise InputError(
            f"{place}: field 'conversations': found {IMAGE_TOKEN} {count} times, expected it once, "
            "alone on the first line of the first turn; use the file as published"
        )
