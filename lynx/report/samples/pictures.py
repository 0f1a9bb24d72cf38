"""What a page of samples shows of a clip: frames of its video, and X as it is drawn beside them.

Shape legend: F frames that the model is shown, K pseudo-frames, H x W pixels, C columns of a page,
L pseudo-frames of one time step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lynx.config.drawing import Drawing
from lynx.config.stages import ViewSettings
from lynx.media.clip import Clip
from lynx.modalities import get_modality

UInt8 = NDArray[np.uint8]

COLUMNS = 4
"""Time steps that are shown of a clip."""
SIDE = 180
"""Pixels of a picture's side; what lays G x G frames on a picture can divide it by 2 to 6."""


@dataclass(frozen=True)
class Pictures:
    """`video` (C, SIDE, SIDE, 3), and below it rows of X (L, C, SIDE, SIDE, 3)."""

    video: UInt8
    x: UInt8


def pictures_of(clip: Clip, view: ViewSettings) -> Pictures:
    """Some of the frames that the model is shown of a clip, and X of the same time steps.

    As the encoder does, but at the page's size: frames and drawings become squares, whatever their
    shape, before a modality joins several to a picture. A modality with fewer pictures than frames
    has all of them shown, one with several to a time step has a row for each.
    """
    places = clip.choose(view.frames, view.sampling)
    modality = get_modality(view.drawing.modality)
    video, drawn = clip.color(places), modality.draw(clip, places, view.drawing)
    if modality.compose is None:
        x = _squares(drawn)
    else:
        joined = modality.compose(_squares(drawn).astype(np.float32), view.drawing)
        x = np.clip(np.rint(joined), 0, 255).astype(np.uint8)
    steps = _spread(len(places), COLUMNS)
    return Pictures(_squares(video[steps]), _rows(x, len(places), steps, view.drawing))


def _rows(x: UInt8, frames: int, steps: Sequence[int], drawing: Drawing) -> UInt8:
    """Pseudo-frames (K, H, W, 3) by their number in a time step: (L, C, H, W, 3)."""
    per_step, left = divmod(len(x), frames)
    if left or not per_step:
        return x[_spread(len(x), COLUMNS)][None]
    if drawing.paired:  # those of one time step stand one behind the other
        return x.reshape(frames, per_step, *x.shape[1:])[steps].swapaxes(0, 1)
    return x.reshape(per_step, frames, *x.shape[1:])[:, steps]


def _spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` places, evenly from the first to the last."""
    if count <= most:
        return list(range(count))
    return [round(place) for place in np.linspace(0, count - 1, most).tolist()]


def _squares(frames: UInt8) -> UInt8:
    """Frames (N, H, W, 3) as squares (N, SIDE, SIDE, 3): bicubic, aspect ratio not kept."""
    size, kind = (SIDE, SIDE), Image.Resampling.BICUBIC
    return np.stack([np.asarray(Image.fromarray(each).resize(size, kind)) for each in frames])
