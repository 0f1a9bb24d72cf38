"""The checked list of a group's video files: what each clip is shown by, and what is in it.

Videos are read where they lie. What is prepared of them is this list: it stands in the DAG for the
files themselves, so a changed or vanished file is noticed, and says of each clip whether it can be
heard.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lynx.artifacts.hashing import hash_file
from lynx.errors import InputError
from lynx.media.audio import AudioState, read_audio
from lynx.media.clip_table import Bounds, bounds_entry, bounds_of
from lynx.media.cut_off import require_whole
from lynx.media.paths import safe_child
from lynx.media.video import probe_video

UNHEARD: tuple[AudioState, ...] = ("absent", "empty", "silent")


@dataclass(frozen=True)
class VideoFile:
    """One file: its name below the media root, its bytes and their hash, and what it holds."""

    name: str
    bytes: int
    sha256: str
    frames: int
    rate: float
    seconds: float
    width: int
    height: int
    audio: AudioState | None


@dataclass(frozen=True)
class InspectedClip:
    """A clip with its files, the video first, then the views that X is drawn from; or the reason
    why it cannot be used.

    ``bounds`` is the part of the files that the clip is; None where it is all of them.
    """

    clip: str
    files: tuple[VideoFile, ...]
    missing: str | None
    bounds: Bounds | None = None


def inspect_clip(
    root: Path,
    clip: str,
    names: Sequence[str],
    heard: bool,
    bounds: Bounds | None = None,
    other_views: int = 0,
) -> InspectedClip:
    """Open a clip's video and the first `other_views` of the files behind it, and no more.

    It is missing where one of them is not listed, gone, unreadable, cut off, too short or of
    another clock.
    """
    video_name, *others = names
    try:
        require_listed(clip, video_name, len(others), other_views)
        video = _inspect(root, video_name, heard)
        if bounds is not None:
            _require_within(video, bounds)
        views = [_inspect(root, name, heard=False) for name in others[:other_views]]
        for view in views:
            require_one_clock(video, view)
    except InputError as error:
        return InspectedClip(clip, (), str(error), bounds)
    return InspectedClip(clip, (video, *views), None, bounds)


def require_listed(clip: str, video: str, found: int, expected: int) -> None:
    """Refuse a clip with fewer views beside its video than X is drawn from."""
    if found < expected:
        raise InputError(
            f"clip {clip!r}: found {found} views beside {video}, expected {expected}; lower "
            "drawing.count or get the other cameras' files"
        )


def require_one_clock(video: VideoFile, view: VideoFile) -> None:
    """Refuse a view of another number of frames than the video has."""
    if view.frames != video.frames:
        raise InputError(
            f"{view.name}: found {view.frames} frames, expected {video.frames} as in "
            f"{video.name} because views of one clock are shown; cut both to the same take"
        )


def _require_within(file: VideoFile, bounds: Bounds) -> None:
    start, end = bounds
    if not 0 <= start < end or round(start * file.rate) >= file.frames:
        raise InputError(
            f"{file.name}: found a clip from {start:g} s to {end:g} s, expected a part of its "
            f"{file.seconds:.2f} s; correct the annotation or get the whole video"
        )


def _inspect(root: Path, name: str, heard: bool) -> VideoFile:
    path = safe_child(root, name)
    info = probe_video(path)
    require_whole(path, info, heard)
    return VideoFile(
        name=name,
        bytes=path.stat().st_size,
        sha256=hash_file(path),
        frames=info.frames,
        rate=info.rate,
        seconds=info.seconds,
        width=info.width,
        height=info.height,
        audio=read_audio(path).state if heard else None,
    )


def require_budgets(
    clips: Sequence[InspectedClip], allow_missing: float, allow_unheard: float
) -> dict[str, int]:
    """Counts of clips by what became of them.

    Raises:
        InputError: more clips than allowed are missing, or have no sound; the sentence names the
            first one and the kinds.
    """
    missing = [clip for clip in clips if clip.missing is not None]
    if len(missing) > allow_missing * len(clips):
        raise InputError(
            f"{missing[0].missing} ({len(missing)} of {len(clips)} clips are missing, "
            f"allow_missing = {allow_missing:g})"
        )
    states = {
        state: [clip for clip in clips if clip.files and clip.files[0].audio == state]
        for state in UNHEARD
    }
    unheard = [clip for found in states.values() for clip in found]
    if len(unheard) > allow_unheard * len(clips):
        kinds = ", ".join(f"{len(found)} {state}" for state, found in states.items())
        raise InputError(
            f"{unheard[0].files[0].name}: found no sound in the audio of clip "
            f"{unheard[0].clip!r} ({len(unheard)} of {len(clips)} clips: {kinds}), expected at "
            f"most the share allow_unheard = {allow_unheard:g}; get the files with their sound or "
            "raise allow_unheard"
        )
    counts = {f"audio {state}": len(found) for state, found in states.items() if found}
    return {"videos": len(clips) - len(missing), "missing": len(missing), **counts}


def write_inventory(folder: Path, benchmark: str, clips: Iterable[InspectedClip]) -> None:
    """Write `videos-<benchmark>.jsonl` (usable clips with their files) and `missing-...`."""
    usable, missing = [], []
    for clip in clips:
        if clip.missing is None:
            row = {"clip": clip.clip, "files": [asdict(file) for file in clip.files]}
            usable.append(row | bounds_entry(clip.bounds))
        else:
            missing.append({"clip": clip.clip, "reason": clip.missing})
    for name, rows in (("videos", usable), ("missing", missing)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}-{benchmark}.jsonl").write_text(text, encoding="utf-8")


def read_inventory(folder: Path, benchmark: str) -> dict[str, InspectedClip]:
    """Usable clips with their files, as `write_inventory` left them."""
    path = folder / f"videos-{benchmark}.jsonl"
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]  # a name may hold other breaks
    rows = (json.loads(line) for line in lines)
    return {row["clip"]: _read_row(row) for row in rows}


def _read_row(row: dict[str, Any]) -> InspectedClip:
    files = tuple(VideoFile(**file) for file in row["files"])
    return InspectedClip(row["clip"], files, None, bounds_of(row))
