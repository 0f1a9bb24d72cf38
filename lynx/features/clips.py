"""Clips of prepared posed RGB-D scenes: which frames a view shows, and X drawn from their depth.

Shape legend: F frames, K pseudo-frames per depth map, H x W stored size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lynx.config.stages import DepthDrawing, ViewSettings
from lynx.errors import InputError
from lynx.media.frame_sampling import select_frames
from lynx.media.paths import safe_child
from lynx.media.posed_rgbd import RgbdFrame, RgbdScene, open_folder
from lynx.modalities import get_modality
from lynx.modalities.depth import DepthClip

Item = TypeVar("Item")
SCANS = "scans"


def open_scene(frames_root: Path, clip: str) -> RgbdScene:
    """A prepared scene by its clip id; InputError if the frames artefact does not hold it."""
    folder = safe_child(frames_root / SCANS, clip)
    if not folder.is_dir():
        raise InputError(f"{folder}: no prepared frames of this clip; run the frames rule again")
    return open_folder(folder)


def chunks(items: Sequence[Item], size: int) -> list[list[Item]]:
    """Consecutive chunks of `size`; the last one is filled up by repeating its last item."""
    cut = [list(items[start : start + size]) for start in range(0, len(items), size)]
    return [part + [part[-1]] * (size - len(part)) for part in cut]


def color_frames(frames: Sequence[RgbdFrame]) -> NDArray[np.uint8]:
    """RGB of the frames (F, H, W, 3)."""
    return np.stack([frame.color() for frame in frames])


def depth_frames(
    scene: RgbdScene, frames: Sequence[RgbdFrame], drawing: DepthDrawing
) -> NDArray[np.uint8]:
    """Depth of the frames drawn as pseudo-frames (F * K, H, W, 3)."""
    clip = DepthClip(
        depths=np.stack([frame.depth() for frame in frames]),
        intrinsics=scene.intrinsics,
        poses=[frame.pose for frame in frames],
    )
    return get_modality("depth").draw(clip, drawing).astype(np.uint8, copy=False)


@dataclass(frozen=True)
class ClipView:
    """What the model is shown of one clip."""

    scene: RgbdScene
    frames: list[RgbdFrame]
    view: ViewSettings

    @classmethod
    def open(cls, frames_root: Path, clip: str, view: ViewSettings) -> ClipView:
        """Choose the view's frames of a clip."""
        scene = open_scene(frames_root, clip)
        frames = select_frames(scene.frames, view.frames, view.sampling, clip)
        return cls(scene, list(frames), view)

    def video(self) -> NDArray[np.uint8]:
        """The RGB frames (F, H, W, 3)."""
        return color_frames(self.frames)

    def x(self) -> NDArray[np.uint8]:
        """The pseudo-frames (F * K, H, W, 3) of the same frames."""
        return depth_frames(self.scene, self.frames, self.view.drawing)
