"""Reading a benchmark's raw annotation files: what comes out of it, and the checks they share."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from lynx.benchmarks.sample import Sample
from lynx.chat_tokens import chat_token_in
from lynx.errors import InputError
from lynx.media.clip_table import Bounds

_SCANNET_SCAN = re.compile(r"scene[0-9]{4}_[0-9]{2}", re.ASCII)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

_Value = TypeVar("_Value", str, int, list[Any], dict[str, Any])


@dataclass(frozen=True)
class Annotation:
    """A split as read: its samples, how many items were dropped by reason, and the files read.

    ``clip_files``: clip id -> names of its files below the media root, the video first, then other
    views of it; empty where a clip is a folder of its own name (the 3D benchmarks).
    ``clip_bounds``: clip id -> start and end in seconds, of clips that are a part of their file.
    """

    samples: list[Sample]
    dropped: dict[str, int]
    files: list[Path]
    clip_files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    clip_bounds: dict[str, Bounds] = field(default_factory=dict)


@dataclass(frozen=True)
class Faulty:
    """An item that cannot be used: its question id and the reason, such as "empty answer".

    ``path`` is the file at fault where a split has several; ``usable`` fills it in elsewhere.
    """

    question_id: str
    reason: str
    path: Path | None = None


def annotation_file(root: Path, names: Mapping[str, str], split: str, how_to_get: str) -> Path:
    """The file of ``split`` below ``root``, from a table split -> file name.

    Raises:
        InputError: the split is not in the table, or the file does not exist; ``how_to_get`` ends
            that sentence.
    """
    if split not in names:
        raise InputError(
            f"split: found {split!r}, expected one of {', '.join(names)}; correct the recipe"
        )
    path = root / names[split]
    if not path.is_file():
        raise InputError(f"{path}: file not found, expected the {split} annotation; {how_to_get}")
    return path


def read_json(path: Path) -> Any:
    """The parsed content of a JSON file.

    Raises:
        InputError: it is not UTF-8 or not JSON; the sentence gives the place.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)  # a plain ValueError for a number of over 4300 digits
        if _SURROGATE.search(text):  # half a character passes for text until it is written
            json.dumps(content, ensure_ascii=False).encode("utf-8")
        return content
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: found text that is not JSON ({error}), expected the annotation as published; "
            "get the file again"
        ) from error


def objects(value: object, place: str) -> list[dict[str, Any]]:
    """``value`` as a list of JSON objects; InputError, naming ``place``, if it is anything else."""
    if not isinstance(value, list):
        raise InputError(
            f"{place}: found {_kind(value)}, expected a list of objects; use the file as published"
        )
    for number, item in enumerate(value):
        if not isinstance(item, dict):
            raise InputError(
                f"{place}, item {number} (from 0): found {_kind(item)}, expected an object; use "
                "the file as published"
            )
    return value


def listed(path: Path, key: str) -> list[dict[str, Any]]:
    """The objects in the list ``key`` of the JSON object in a file.

    Raises:
        InputError: the file holds anything else.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise InputError(
            f"{path}: found no JSON object, expected one with the list {key!r}; use the file as "
            "published"
        )
    return objects(required(content, key, list, str(path)), f"{path}, {key!r}")


def texts_of(
    items: Iterable[Mapping[str, Any]], key: str, kind: type[_Value], place: str
) -> list[str]:
    """Field ``key`` of each item, of the JSON type ``kind``, as text; for ids.

    Raises:
        InputError: as ``identifier`` does, with the number of the item behind ``place``.
    """
    return [
        identifier(item, key, kind, f"{place}, item {number} (from 0)")
        for number, item in enumerate(items)
    ]


def identifier(item: Mapping[str, Any], key: str, kind: type[_Value], place: str) -> str:
    """Field ``key``, of the JSON type ``kind``, as an id.

    Raises:
        InputError: as ``required`` does, or the id is blank.
    """
    text = str(required(item, key, kind, place))
    if not text.strip():
        raise InputError(
            f"{place}: field {key!r}: found {text!r}, expected an id; use the file as published"
        )
    return text


def required(item: Mapping[str, Any], key: str, kind: type[_Value], place: str) -> _Value:
    """Field ``key`` of a JSON object, of exactly the JSON type ``kind``.

    Raises:
        InputError: the field is absent or of another type; the sentence opens with ``place``.
    """
    if key not in item:
        raise InputError(
            f"{place}: found no field {key!r} among {', '.join(sorted(item)) or 'no fields'}, "
            f"expected {_NAMES[kind]}; use the file as published"
        )
    value = item[key]
    # Not isinstance: true and false are instances of int.
    if type(value) is not kind:
        raise InputError(
            f"{place}: field {key!r}: found {_kind(value)}, expected {_NAMES[kind]}; use the file "
            "as published"
        )
    return value


def optional_text(item: Mapping[str, Any], key: str, place: str) -> str | None:
    """Field ``key`` as ``required`` gives it, or None where it is absent, null or blank."""
    if item.get(key) is None:
        return None
    return required(item, key, str, place).strip() or None


def scan_id(item: Mapping[str, Any], place: str) -> str:
    """The ``scene_id`` of an item: a ScanNet scan such as ``scene0000_00``.

    Raises:
        InputError: as ``required`` and ``scan_name`` do.
    """
    return scan_name(required(item, "scene_id", str, place), "scene_id", place)


def scan_name(scene: str, key: str, place: str) -> str:
    """``scene``, found in the field ``key``, as a ScanNet scan.

    Anything else is refused, a path above all: the id becomes a folder name.
    """
    if not _SCANNET_SCAN.fullmatch(scene):
        raise InputError(
            f"{place}: field {key!r}: found {scene!r}, expected a ScanNet scan such as "
            "scene0000_00; correct the annotation"
        )
    return scene


def unique(ids: Iterable[str], place: str, what: str = "question") -> None:
    """Refuse ids, of questions or of ``what``, that occur twice; InputError names the first one."""
    seen: set[str] = set()
    for item in ids:
        if item in seen:
            raise InputError(
                f"{place}: found {what} {item!r} more than once, expected unique {what} ids; "
                "remove the duplicate"
            )
        seen.add(item)


def numbered(ids: Iterable[str], place: str) -> list[str]:
    """``ids`` in their order, made unique: the second ``x`` becomes ``x#2``, the third ``x#3``.

    Raises:
        InputError: an id of the file is such a numbered one already.
    """
    seen: dict[str, int] = {}
    result = []
    for item in ids:
        seen[item] = seen.get(item, 0) + 1
        result.append(item if seen[item] == 1 else f"{item}#{seen[item]}")
    unique(result, place)
    return result


def chat_fault(texts: Iterable[str]) -> str | None:
    """Why texts cannot stand in a chat, or None: "the token <image> in a text"."""
    token = chat_token_in(texts)
    return None if token is None else f"the token {token} in a text"


def usable(path: Path, items: Iterable[Sample | Faulty]) -> Iterator[Sample | Faulty]:
    """The items of the file ``path``; a sample whose texts hold a token of the chat is faulty.

    For readers of several files: what is faulty names its own one.
    """
    for item in items:
        if isinstance(item, Faulty):
            yield item if item.path is not None else replace(item, path=path)
        elif (reason := chat_fault(_texts(item))) is not None:
            yield Faulty(item.id, reason, path)
        else:
            yield item


def _texts(sample: Sample) -> Iterator[str]:
    """What the model may read of a sample."""
    for turn in sample.turns:
        yield from (turn.question, turn.answer)
    yield from sample.options


def within_budget(
    path: Path, items: Iterable[Sample | Faulty], allow_missing: float
) -> tuple[list[Sample], dict[str, int]]:
    """Split ``items`` into samples and a count of the faulty ones by reason.

    They are of the file ``path``, but for those that went through ``usable`` with another.

    Raises:
        InputError: faulty items are a larger share of all than ``allow_missing`` (0 to 1).
    """
    everything = list(usable(path, items))
    samples = [item for item in everything if isinstance(item, Sample)]
    faulty = [item for item in everything if isinstance(item, Faulty)]
    if len(faulty) > allow_missing * len(everything):
        first = faulty[0]
        raise InputError(
            f"{first.path}: question {first.question_id!r}: found {first.reason} ({len(faulty)} of "
            f"{len(everything)} questions are unusable), expected at most the share allow_missing "
            f"= {allow_missing:g}; correct the file, or of a training split raise allow_missing"
        )
    dropped: dict[str, int] = {}
    for item in faulty:
        dropped[item.reason] = dropped.get(item.reason, 0) + 1
    return samples, dropped


_NAMES: dict[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def _kind(value: object) -> str:
    return _NAMES[type(value)]
