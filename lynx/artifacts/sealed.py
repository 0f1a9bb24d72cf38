"""Small result files in JSON that hold the hash of their own content.

`again` is the end of a sentence about one: which rule makes it anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lynx.artifacts.differences import not_finite
from lynx.artifacts.hashing import hash_data
from lynx.errors import InputError

CONTENT = "content"


def content_of(report: Mapping[str, Any]) -> str:
    """The hash over every field but the one that holds it."""
    return hash_data({key: value for key, value in report.items() if key != CONTENT})


def sealed_text(report: Mapping[str, Any]) -> str:
    """A report as JSON with its content hash; ValueError for a number that is not finite."""
    sealed = {**report, CONTENT: content_of(report)}
    return json.dumps(sealed, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_sealed(path: Path, again: str) -> dict[str, Any]:
    """Read such a file; InputError for one that is absent or holds no JSON object."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); {again}") from error
    if not isinstance(report, dict):
        raise InputError(f"{path}: found no JSON object; {again}")
    return report


def number_problems(path: Path, report: Mapping[str, Any], again: str) -> Iterator[str]:
    """A number that is none, or an edit."""
    if fault := not_finite(report):
        yield f"{path}: {fault[0]} is {fault[1]}, expected a finite number; {again}"
    else:
        yield from edits(path, report, again)


def edits(path: Path, report: Mapping[str, Any], again: str) -> Iterator[str]:
    """A sentence if a result is not as it was written; one written before it had a hash is taken
    as it is."""
    if CONTENT in report and not_finite(report) is None and content_of(report) != report[CONTENT]:
        yield (
            f"{path}: its values do not hash to its own content field; the file was edited, so "
            f"{again}"
        )


def sealed_line(data: object) -> str:
    """A line of resumable state: plain data as JSON, and the hash of that text."""
    text = json.dumps(data, ensure_ascii=False)
    return f"{text} {_text_hash(text)}\n"


def open_line(line: str) -> Any:
    """The data of such a line; None for one that was cut or changed."""
    text, _, digest = line.rpartition(" ")
    return json.loads(text) if _text_hash(text) == digest else None


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
