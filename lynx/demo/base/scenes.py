"""Training data of the tiny base: scenes of its own, rendered in memory, never exported.

The base's world has another seed than the demo's, so the two share no scene. Colour frames go
through the same JPEG and the same resize as an exported and prepared scene does.

Shape legend: C scenes, K frames kept per scene, P image side.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lynx.demo.world import build_scene, render_frame, scene_cameras
from lynx.demo.world.palette import COLOURS
from lynx.demo.world.scannet_files import COLOUR_SIZE, JPEG_QUALITY
from lynx.processes import in_processes


@dataclass(frozen=True)
class SceneFrames:
    """Frames (K, P, P, 3) uint8; what each pixel shows (K, P, P) int8, as in `Rendering`.

    `floor_colour` and `wall_colour` are numbers among `COLOURS`.
    """

    frames: NDArray[np.uint8]
    category: NDArray[np.int8]
    colour: NDArray[np.int8]
    surface: NDArray[np.int8]
    floor_colour: int
    wall_colour: int


def render_scene(task: tuple[int, int, int, int]) -> SceneFrames:
    """Render (seed, index, K, P): K frames over the sweep, resized as exported scenes are."""
    seed, index, count, side = task
    scene = build_scene(seed, index)
    frames, categories, colours, surfaces = [], [], [], []
    for camera in scene_cameras(scene, count):
        drawn = render_frame(scene, camera, *COLOUR_SIZE)
        packed = io.BytesIO()
        Image.fromarray(drawn.color).save(packed, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        picture = Image.open(packed).convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
        frames.append(np.asarray(picture))
        categories.append(_nearest(drawn.category, side))
        colours.append(_nearest(drawn.object_color, side))
        surfaces.append(_nearest(drawn.surface, side))
    return SceneFrames(
        np.stack(frames),
        np.stack(categories),
        np.stack(colours),
        np.stack(surfaces),
        COLOURS.index(scene.room.floor_colour),
        COLOURS.index(scene.room.wall_colour),
    )


def _nearest(labels: NDArray[np.int8], side: int) -> NDArray[np.int8]:
    picture = Image.fromarray(labels.astype(np.uint8)).resize(
        (side, side), Image.Resampling.NEAREST
    )
    return np.asarray(picture).astype(np.int8)


def render_scenes(
    seed: int, indices: range, frames: int, side: int, workers: int
) -> Iterator[SceneFrames]:
    """Render many scenes in several processes, in order, with a progress bar."""
    tasks = [(seed, index, frames, side) for index in indices]
    return in_processes(render_scene, tasks, workers, desc="render", unit="scene")
