"""What stages 1 and 2 read of the training scenes: chunks of colour frames and of depth maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lynx.config.stages import AlignSettings
from lynx.features.clips import chunks, color_frames, depth_frames, open_scene


@dataclass(frozen=True)
class DepthChunk:
    """Consecutive depth maps of one scene, by their places among its frames."""

    clip: str
    places: tuple[int, ...]


def reference_clips(
    frames_root: Path, clips: list[str], frames_per_clip: int, max_clips: int
) -> Iterator[NDArray[np.uint8]]:
    """All colour frames of all scenes in chunks (F, H, W, 3), the last chunk of each filled up."""
    count = 0
    for clip in clips:
        for part in chunks(open_scene(frames_root, clip).frames, frames_per_clip):
            if count == max_clips:
                return
            count += 1
            yield color_frames(part)


def depth_chunks(frames_root: Path, clips: list[str], maps_per_item: int) -> list[DepthChunk]:
    """Every chunk of consecutive depth maps of every scene: the items of stage 2."""
    items = []
    for clip in clips:
        places = range(len(open_scene(frames_root, clip).frames))
        items += [DepthChunk(clip, tuple(part)) for part in chunks(places, maps_per_item)]
    return items


def draw_chunk(frames_root: Path, item: DepthChunk, settings: AlignSettings) -> NDArray[np.uint8]:
    """Pseudo-frames (maps * K, H, W, 3) of one item."""
    scene = open_scene(frames_root, item.clip)
    frames = [scene.frames[place] for place in item.places]
    return depth_frames(scene, frames, settings.drawing)
