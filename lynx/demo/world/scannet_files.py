"""One scene as files in ScanNet's export layout (SensReader): colour, depth, poses, calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lynx.demo.world.camera import intrinsics, metric_pose, scene_cameras
from lynx.demo.world.raycast import render_frame
from lynx.demo.world.scene import Scene, stream

COLOUR_SIZE = (80, 60)  # width, height; like ScanNet's 1296 x 968, larger than depth
DEPTH_SIZE = (64, 48)  # ScanNet: 640 x 480
JPEG_QUALITY = 95
FRAME_STEP = 7  # stems count frames of a video of which every seventh is kept
UNREGISTERED_SHARE = 0.25  # scenes in which one frame has no pose
INVALID_SHARE = 0.03  # depth pixels that the sensor missed

_SENSOR_STREAM = 4


def write_scene(scans: Path, scene: Scene, frames: int) -> None:
    """Write `<scans>/<scene_id>/{color,depth,pose}/<n>.*` of `frames` frames, and calibration."""
    folder = scans / scene.scene_id
    for name in ("color", "depth", "pose"):
        (folder / name).mkdir(parents=True)
    for name, size in (("color", COLOUR_SIZE), ("depth", DEPTH_SIZE)):
        _write_matrix(folder / f"intrinsic_{name}.txt", intrinsics(*size))
        _write_matrix(folder / f"extrinsic_{name}.txt", np.eye(4))
    rng = stream(scene.seed, _SENSOR_STREAM, scene.index)
    unregistered = int(rng.integers(frames)) if rng.random() < UNREGISTERED_SHARE else None
    for number, camera in enumerate(scene_cameras(scene, frames)):
        stem = str(FRAME_STEP * number)
        color = render_frame(scene, camera, *COLOUR_SIZE).color
        depth = with_invalid_pixels(render_frame(scene, camera, *DEPTH_SIZE).depth, rng)
        # No chroma subsampling: at this size it would wash out the furniture's colours.
        Image.fromarray(color).save(
            folder / "color" / f"{stem}.jpg", quality=JPEG_QUALITY, subsampling=0
        )
        Image.fromarray(depth).save(folder / "depth" / f"{stem}.png")
        lost = number == unregistered
        pose = np.full((4, 4), -np.inf) if lost else metric_pose(scene, camera)
        _write_matrix(folder / "pose" / f"{stem}.txt", pose)


def with_invalid_pixels(depth: NDArray[np.uint16], rng: np.random.Generator) -> NDArray[np.uint16]:
    """Depth (H, W) in millimetres, a random share of it set to 0, ScanNet's "no value"."""
    return np.where(rng.random(depth.shape) < INVALID_SHARE, np.uint16(0), depth)


def _write_matrix(path: Path, matrix: NDArray[np.float64]) -> None:
    rows = (" ".join(f"{value:.6f}" for value in row) for row in matrix)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
