"""Dense frames of a video, several to a picture (method section 2.5.4).

Legend: `N` dense frames, `H` x `W` pixels, `G` frames on a side of a picture, G * G per picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lynx.config.drawing import Drawing
from lynx.config.strict import Positive
from lynx.errors import InputError
from lynx.modalities.registry import Modality

if TYPE_CHECKING:  # opening a clip needs the decoding libraries, reading a recipe does not
    from lynx.media.video_clip import VideoClip

Frames = NDArray[np.uint8] | NDArray[np.float32]


class FastDrawing(Drawing):
    """How dense frames become pseudo-frames."""

    modality: Literal["fast"]
    per_step: Positive = Field(
        description="dense frames for each frame of the ordinary video, laid on one picture: 4, 9"
    )


def tile_frames(frames: Frames, per_tile: int = 4) -> NDArray[np.float32]:
    """Shrink dense frames (N, H, W, 3) and lay each `per_tile` on a picture of their size.

    Gives float32 (ceil(N / per_tile), H, W, 3) on the frames' own scale, 0 to 255 or normalised.
    G * G = per_tile frames in a row fill one picture row by row, each shrunk by G by the mean of
    G x G pixels; the last frame is repeated where the last picture would have holes. "Released"
    behaviour for 4, where the mean is what bilinear interpolation (align_corners False) gives. For
    more frames that would look at four pixels of a block alone, or one; the mean loses none.
    The frames are those that the tower would see: a resize behind this would blur tile borders.

    Raises:
        InputError: `per_tile` is not the square of a whole number, or H or W is not a multiple of
            its root: no pixel is cut off to make frames fit.
        ValueError: `frames` is not (N, H, W, 3) uint8 or float32 with N > 0.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or not len(frames):
        raise ValueError(f"frames {frames.shape}; expected (N, H, W, 3) with at least one frame")
    if frames.dtype not in (np.uint8, np.float32):
        raise ValueError(f"frames of {frames.dtype}; expected uint8 or float32")
    side = _side(per_tile)
    height, width = frames.shape[1:3]
    if height % side or width % side:
        raise InputError(
            f"drawing.per_step: found {per_tile} with frames of {width}x{height} pixels, expected "
            f"a width and height that {side} divides; choose another number or frame size"
        )
    filled = frames[np.minimum(np.arange(-(-len(frames) // per_tile) * per_tile), len(frames) - 1)]
    grid = _mean_pool(filled, side).reshape(-1, side, side, height // side, width // side, 3)
    # (tiles, row, column, h, w, 3) -> rows of pixels run through the columns of the grid
    return grid.transpose(0, 1, 3, 2, 4, 5).reshape(-1, height, width, 3)


def _mean_pool(frames: Frames, side: int) -> NDArray[np.float32]:
    """Mean of blocks of side x side pixels, (N, H, W, 3) to (N, H / side, W / side, 3)."""
    pooled = np.zeros(
        (len(frames), frames.shape[1] // side, frames.shape[2] // side, 3), dtype=np.float32
    )
    for row in range(side):
        for column in range(side):
            pooled += frames[:, row::side, column::side]
    pooled /= side * side
    return pooled


def _side(per_tile: int) -> int:
    """Root of a square number."""
    side = isqrt(max(per_tile, 0))
    if side < 1 or side * side != per_tile:
        raise InputError(
            f"drawing.per_step: found {per_tile}, expected the square of a whole number (4, 9, "
            "16); set it to 4"
        )
    return side


def _draw(clip: VideoClip, places: Sequence[int], settings: FastDrawing) -> NDArray[np.uint8]:
    return clip.color(_sees(clip, places, settings))


def _sees(clip: VideoClip, places: Sequence[int], settings: FastDrawing) -> tuple[int, ...]:
    """Dense frames spread over the video, `per_step` times as many as are shown of it."""
    return clip.choose(settings.per_step * len(places), "uniform")


def _compose(frames: NDArray[np.float32], settings: FastDrawing) -> NDArray[np.float32]:
    return tile_frames(frames, settings.per_step)


MODALITY = Modality("fast", FastDrawing, _draw, _compose, _sees)
