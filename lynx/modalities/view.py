"""Frames of other cameras, shown as they are (method section 2.5.3).

Legend: `V` views, `F` frames of each, `H` x `W` pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lynx.config.drawing import Drawing
from lynx.errors import InputError
from lynx.modalities.registry import Modality

if TYPE_CHECKING:  # opening a clip needs the decoding libraries, reading a recipe does not
    from lynx.media.video_clip import VideoClip

UInt8 = NDArray[np.uint8]

MAX_VIEWS = 4


class ViewDrawing(Drawing):
    """Which cameras are shown beside the ordinary video."""

    modality: Literal["view"]
    cameras: Literal["same", "others"] = Field(
        description="the very clip again, as released (P12), or the clip's other cameras"
    )
    count: Annotated[int, Field(ge=1, le=MAX_VIEWS)] = Field(description="how many of them")

    @property
    def other_views(self) -> int:
        """None where the very clip is shown again."""
        return self.count if self.cameras == "others" else 0

    def pseudo_frames(self, steps: int) -> int:
        """One picture of each moment for each camera, camera after camera."""
        return steps * self.count


def order_views(views: Sequence[UInt8]) -> UInt8:
    """Put one to four views, each (F, H, W, 3) uint8, one behind the other: (V * F, H, W, 3).

    All frames of the first view come first, then all of the second; pixels are not touched. The
    publication feeds other views without transformation.

    Raises:
        InputError: there are none or more than four views, or they differ in their number of frames
            or in size.
        ValueError: a view is not (F, H, W, 3) uint8 with F > 0.
    """
    if not 1 <= len(views) <= MAX_VIEWS:
        raise InputError(
            f"views: found {len(views)}, expected 1 to {MAX_VIEWS}; list fewer cameras or at least "
            "one"
        )
    for number, view in enumerate(views, start=1):
        if view.ndim != 4 or view.shape[-1] != 3 or view.dtype != np.uint8 or not len(view):
            raise ValueError(f"view {number} {view.dtype} {view.shape}; expected uint8 frames")
        if view.shape != views[0].shape:
            raise InputError(
                f"views: found {_text(view)} in view {number}, expected {_text(views[0])} as in "
                "view 1; read all views with the same number of frames and the same size"
            )
    return np.concatenate(views)


def _text(view: UInt8) -> str:
    return f"{len(view)} frames of {view.shape[2]}x{view.shape[1]} pixels"


def _draw(clip: VideoClip, places: Sequence[int], settings: ViewDrawing) -> UInt8:
    """The moments of `places` as the other cameras saw them, in the order of the clip's files."""
    if settings.cameras == "same":
        return order_views([clip.color(places)] * settings.count)
    return order_views([clip.view(number, places) for number in range(1, settings.count + 1)])


MODALITY = Modality("view", ViewDrawing, _draw)
