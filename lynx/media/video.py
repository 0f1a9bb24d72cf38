"""Encoded video files to arrays.

Legend: `F` frames asked for, `H` x `W` size as shown (turned as the file says; the shape of its
pixels is not corrected).

Frame i is the i-th that a player shows, the same one with either reader. The bytes are the same
too for 8-bit 4:2:0, 4:2:2 and 4:4:4 in BT.601 and BT.709 (measured difference 0; in 4:2:0 of odd
sizes 0.2% of the values differ by 1 grey level). Of 10-bit video decord would differ by 5 grey
levels in the mean and 30 at most (random colours in 8 x 8 pixels), so there, and wherever decord
counts other frames than are shown, both names lead to PyAV (`index_video` tells these files).

Damage: a packet that a decoder refuses is an error with either reader. Damaged pictures that it
mends by guessing are noticed by PyAV, which reports them; decord does not tell, so check files that
may be damaged with `reader="pyav"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lynx.errors import InputError
from lynx.media.frame_sampling import uniform_indices
from lynx.media.video_decord import read_with_decord
from lynx.media.video_index import VideoIndex, index_video
from lynx.media.video_pyav import read_with_pyav

Reader = Literal["decord", "pyav"]


@dataclass(frozen=True)
class VideoInfo:
    """What a video file shows, found from its packets.

    `frames` are shown, `declared` is the number in the header (None where it has none). `rate` is
    their mean in frames a second, over `seconds` from the first frame to the end of the last.
    `width` x `height` in pixels is as shown.
    """

    frames: int
    declared: int | None
    rate: float
    seconds: float
    width: int
    height: int


def probe_video(path: Path) -> VideoInfo:
    """Count what can be shown; see `index_video` for how.

    Raises:
        InputError: missing, empty, corrupt, no video stream, or no frame that can be decoded.
    """
    index = index_video(path)
    frames, seconds = len(index.pts), index.seconds
    rate = frames / seconds if seconds > 0 else 0.0
    return VideoInfo(frames, index.declared, rate, seconds, index.width, index.height)


def read_video_frames(path: Path, indices: Sequence[int], reader: Reader) -> NDArray[np.uint8]:
    """Decode the frames at `indices` in this order, repeats included: RGB (F, H, W, 3).

    Each frame is decoded once, from the key frame before it.

    Raises:
        InputError: an index beyond the frames shown, a frame that cannot be decoded, or a file that
            `probe_video` refuses.
    """
    return _read(index_video(path), indices, reader)


def clip_indices(frames: int, n: int) -> tuple[int, ...]:
    """The `n` frames that are shown of a video of `frames`: `uniform_indices`, made rising.

    With fewer than `n` frames the repeats collapse and the last frame is repeated at the end
    (released behaviour; method sections 2.4 and 9.3, S19): 3 frames for n = 5 give 0 1 2 2 2.
    """
    distinct = sorted(set(uniform_indices(frames, n)))
    return tuple(distinct + distinct[-1:] * (n - len(distinct)))


def _read(index: VideoIndex, indices: Sequence[int], reader: Reader) -> NDArray[np.uint8]:
    count = len(index.pts)
    for number in indices:
        if not 0 <= number < count:
            raise InputError(
                f"{index.path}: found frame index {number}, expected 0 to {count - 1} of its "
                f"{count} frames; ask for frames that the file has"
            )
    if not len(indices):
        return np.empty((0, index.height, index.width, 3), np.uint8)
    numbers, rows = np.unique(np.asarray(indices, dtype=np.int64), return_inverse=True)
    asked = [int(number) for number in numbers]
    frames = read_with_decord(index, asked) if reader == "decord" else None
    if frames is None:
        frames = read_with_pyav(index, asked)
    in_order = len(rows) == len(asked) and bool((np.diff(rows) > 0).all())
    return frames if in_order else frames[rows]
