"""`clips.jsonl`: which files show each clip of a benchmark, relative to the media root.

The first file of a clip is its video, further ones are other views of the same moments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

CLIPS_NAME = "clips.jsonl"


def write_clip_table(folder: Path, files: Mapping[str, tuple[str, ...]]) -> None:
    """Write one line per clip, in the order given."""
    lines = (json.dumps({"clip": clip, "files": names}) for clip, names in files.items())
    text = "".join(f"{line}\n" for line in lines)
    (folder / CLIPS_NAME).write_text(text, encoding="utf-8")


def read_clip_table(folder: Path) -> dict[str, tuple[str, ...]]:
    """Read what `write_clip_table` wrote."""
    text = (folder / CLIPS_NAME).read_text(encoding="utf-8")
    rows = (json.loads(line) for line in text.splitlines())
    return {row["clip"]: tuple(row["files"]) for row in rows}
