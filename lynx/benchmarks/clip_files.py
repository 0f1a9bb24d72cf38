"""Whether every file that shows a clip is on disk."""

from __future__ import annotations

from pathlib import Path

from lynx.benchmarks.annotation import Annotation
from lynx.errors import InputError
from lynx.media.paths import safe_child


def require_clip_files(
    annotation: Annotation, media_root: Path, allow_missing: float = 0.0
) -> tuple[str, ...]:
    """Ids of the clips of which a file below ``media_root`` is gone, in annotation order.

    They are what a caller has to leave out of training, and to count as wrong when it scores. A
    clip of several views lacks a file as soon as one view is gone.

    Raises:
        InputError: such clips are a larger share of all clips than ``allow_missing`` (0 to 1), or
            a name leaves the media root; the sentence names the first file and counts the rest.
    """
    gone = {
        clip: absent
        for clip, names in annotation.clip_files.items()
        if (absent := [name for name in names if not safe_child(media_root, name).is_file()])
    }
    if len(gone) > allow_missing * len(annotation.clip_files):
        clip, names = next(iter(gone.items()))
        raise InputError(
            f"{media_root / names[0]}: file not found, expected it because it shows clip {clip!r} "
            f"({sum(map(len, gone.values()))} files are gone, of {len(gone)} of "
            f"{len(annotation.clip_files)} clips), and at most the share allow_missing = "
            f"{allow_missing:g} of the clips may lack one; get the missing files, correct the "
            "mapping or raise allow_missing"
        )
    return tuple(gone)
