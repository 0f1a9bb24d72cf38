"""`clips.jsonl`: which files show each clip of a benchmark, relative to the media root.

The first file of a clip is its video, further ones are other views of the same moments. A clip may
be a part of its files, from `start` to `end` in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CLIPS_NAME = "clips.jsonl"

Bounds = tuple[float, float]
"""Start and end of a clip in its files, in seconds."""


@dataclass(frozen=True)
class ShownBy:
    """The files of a clip, and the part of them that it is; None where it is all of them."""

    files: tuple[str, ...]
    bounds: Bounds | None = None


def write_clip_table(
    folder: Path, files: Mapping[str, tuple[str, ...]], bounds: Mapping[str, Bounds]
) -> None:
    """Write one line per clip of `files`, in the order given."""
    rows = (
        {"clip": clip, "files": names} | bounds_entry(bounds.get(clip))
        for clip, names in files.items()
    )
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    (folder / CLIPS_NAME).write_text(text, encoding="utf-8")


def read_clip_table(folder: Path) -> dict[str, ShownBy]:
    """Read what `write_clip_table` wrote."""
    text = (folder / CLIPS_NAME).read_text(encoding="utf-8")
    rows = (json.loads(line) for line in text.splitlines())
    return {row["clip"]: ShownBy(tuple(row["files"]), bounds_of(row)) for row in rows}


def bounds_entry(bounds: Bounds | None) -> dict[str, object]:
    """What a row of JSON Lines says of bounds: nothing where a clip is all of its files."""
    return {} if bounds is None else {"start": bounds[0], "end": bounds[1]}


def bounds_of(row: Mapping[str, float]) -> Bounds | None:
    """The bounds in such a row."""
    return (row["start"], row["end"]) if "start" in row else None
