"""Takes of Ego-Exo4D as the official proficiency files list them: labels, scenario and views."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lynx.benchmarks.annotation import listed, optional_text, required, texts_of
from lynx.benchmarks.mappings import clip_id, file_name
from lynx.errors import InputError

CLASSES = ("Novice", "Early Expert", "Intermediate Expert", "Late Expert")

_FOLDER = "frame_aligned_videos"


@dataclass(frozen=True)
class Take:
    """A take: its scenario, its views below the media root (ego first, then the exo views that it
    has, in the order of their names), and the label of each of its rows: there may be several.
    """

    scenario: str
    views: tuple[str, ...]
    labels: tuple[str, ...]


def read_takes(path: Path) -> dict[str, Take]:
    """Take id -> take, in the order of the file.

    Raises:
        InputError: a field is missing or of the wrong type, a label is none of ``CLASSES``, a path
            is no view of a take, or rows of one take disagree on scenario or views.
    """
    rows = listed(path, "annotations")
    uids = texts_of(rows, "take_uid", str, f"{path}, 'annotations'")
    takes: dict[str, Take] = {}
    for uid, row in zip(uids, rows, strict=True):
        place = f"{path}: take {uid!r}"
        take = _take(row, place)
        known = takes.get(clip_id(uid, place))
        if known is not None:
            if (known.scenario, known.views) != (take.scenario, take.views):
                raise InputError(
                    f"{place}: found rows with different scenarios or videos, expected one take "
                    "to have the same in all its rows; use the file as published"
                )
            take = Take(take.scenario, take.views, (*known.labels, *take.labels))
        takes[uid] = take
    return takes


def class_name(text: str, place: str) -> str:
    """``text`` as one of ``CLASSES``.

    Raises:
        InputError: it is none of them.
    """
    if text not in CLASSES:
        raise InputError(
            f"{place}: found the answer {text!r}, expected one of {', '.join(CLASSES)}; use the "
            "file as published"
        )
    return text


def downscaled(view: str, place: str) -> str:
    """Where the 448-pixel copy of a view is: in `downscaled/448` beside the full-size file.

    The full-size takes are 10 TB; the copies are what PAVE and LynX read.

    Raises:
        InputError: the path is not that of a file in a folder `frame_aligned_videos`, or climbs.
    """
    path = PurePosixPath(file_name(view, place))
    if path.parent.name != _FOLDER:
        raise InputError(
            f"{place}: found the video {view!r}, expected "
            f"takes/<take>/{_FOLDER}/<camera>.mp4; use the file as published"
        )
    return str(path.parent / "downscaled" / "448" / path.name)


def _take(row: dict[str, Any], place: str) -> Take:
    paths = required(row, "video_paths", dict, place)
    at_paths = f"{place}: field 'video_paths'"
    ego = required(paths, "ego", str, at_paths)
    # A camera that a take was not filmed with is null; only the ego view shows every take.
    exo = (optional_text(paths, name, at_paths) for name in sorted(paths.keys() - {"ego"}))
    return Take(
        scenario=required(row, "scenario_name", str, place),
        views=tuple(downscaled(view, at_paths) for view in (ego, *exo) if view is not None),
        labels=(class_name(required(row, "proficiency_score", str, place), place),),
    )
