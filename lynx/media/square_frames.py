"""Full recordings to a few square frames per scene, in the layout that the benchmarks read.

The picture is squashed, not cropped: aspect is given up for the whole field of view, as the vision
tower's own preprocessing does, and the calibration follows per axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lynx.errors import InputError
from lynx.media.frame_sampling import uniform_indices
from lynx.media.image_files import Float64, UInt8, UInt16
from lynx.media.intrinsics import (
    FILE_NAME,
    Intrinsics,
    calibration_size,
    resize,
    write_intrinsics,
)
from lynx.media.matrix_text import format_matrix
from lynx.media.posed_rgbd import RgbdFrame, RgbdScene, open_folder
from lynx.media.sens import open_sens

JPEG_QUALITY = 95
_PNG_BELOW = 128  # JPEG's 8-pixel blocks spoil pictures as small as the demo's
_SIZE_TOLERANCE = 0.1


@dataclass(frozen=True)
class PreparedScene:
    """What became of a scene: frames in the source, frames written, frames unusable by reason.

    Usable frames between the evenly spaced ones are in neither of the last two.
    """

    scene: str
    found: int
    kept: int
    dropped: Mapping[str, int]


def open_scene(source: Path) -> RgbdScene:
    """Open a `.sens` file, a folder that holds one, or a folder of exported frames.

    Raises:
        InputError: none of the three, or as `open_sens` and `open_folder`.
    """
    if source.suffix == ".sens":
        return open_sens(source)
    if (source / "color").is_dir():
        return open_folder(source)
    recordings = sorted(source.glob("*.sens")) if source.is_dir() else []
    if len(recordings) == 1:
        return open_sens(recordings[0])
    raise InputError(
        f"{source}: found {len(recordings)} .sens files and no color/ folder, expected one "
        "recording or an exported scene; point the data path at ScanNet's scans"
    )


def prepare_scene(
    source_dir: Path, target_dir: Path, frames: int = 32, size: int = 384
) -> PreparedScene:
    """Write up to `frames` evenly spaced located frames as `size` x `size` pixels.

    Colour is resized bicubic and written as PNG below 128 pixels, else JPEG of quality 95; depth is
    resized to the nearest sample (a mean across an edge would invent a surface) and written as
    16-bit PNG in millimetres; poses are copied; `intrinsic_depth.txt` follows the resize exactly.
    A scene with fewer located frames gives them all.

    Raises:
        InputError: a frame cannot be read, no frame has a pose, the calibration is for another
            image, or `target_dir` is not empty.
    """
    scene = open_scene(source_dir)
    located = [frame for frame in scene.frames if frame.pose is not None]
    if not located:
        raise InputError(
            f"{source_dir}: found {len(scene.frames)} frames and none with a pose, expected at "
            "least one; leave the scene out or export its poses"
        )
    _make_folders(target_dir)
    kept = [located[index] for index in uniform_indices(len(located), min(frames, len(located)))]
    depth_size = _write_frames(kept, source_dir, target_dir, size)
    own_size = _calibrated_for(source_dir, scene.intrinsics, depth_size)
    write_intrinsics(target_dir / FILE_NAME, resize(scene.intrinsics, own_size, (size, size)))
    dropped = {"no pose": len(scene.frames) - len(located)}
    return PreparedScene(scene.name, len(scene.frames), len(kept), dropped)


def resize_color(color: UInt8, size: int) -> UInt8:
    """Resize (H, W, 3) to (size, size, 3), bicubic; aspect is not kept."""
    return np.asarray(Image.fromarray(color).resize((size, size), Image.Resampling.BICUBIC))


def resize_depth(depth: UInt16, size: int) -> UInt16:
    """Resize (H, W) to (size, size) by the sample nearest to each new pixel's centre."""
    rows, columns = (_nearest(length, size) for length in depth.shape)
    resized: UInt16 = depth[np.ix_(rows, columns)]
    return resized


def write_color(folder: Path, stem: str, color: UInt8) -> None:
    """Write (H, W, 3) as `<stem>.png` when smaller than 128 pixels, else `<stem>.jpg`."""
    if max(color.shape[:2]) < _PNG_BELOW:
        Image.fromarray(color).save(folder / f"{stem}.png")
    else:
        Image.fromarray(color).save(folder / f"{stem}.jpg", quality=JPEG_QUALITY)


def write_depth(path: Path, depth: UInt16) -> None:
    """Write (H, W) millimetres as a 16-bit grey PNG."""
    Image.fromarray(depth).save(path)


def write_pose(path: Path, pose: Float64) -> None:
    """Write (4, 4) camera-to-world as text that reads back bit for bit."""
    path.write_text(format_matrix(pose), encoding="utf-8")


def _write_frames(
    frames: Sequence[RgbdFrame], source: Path, target: Path, size: int
) -> tuple[int, int]:
    """Write each frame's colour, depth and pose; return the (width, height) depth came in."""
    sizes: list[tuple[int, int]] = []
    for frame in frames:
        depth = frame.depth()
        sizes.append((depth.shape[1], depth.shape[0]))
        if sizes[-1] != sizes[0]:
            raise InputError(
                f"{source}: found depth frame {frame.number} of {_text(sizes[-1])} after frames of "
                f"{_text(sizes[0])}, expected one size per scene; export the scene again"
            )
        write_color(target / "color", str(frame.number), resize_color(frame.color(), size))
        write_depth(target / "depth" / f"{frame.number}.png", resize_depth(depth, size))
        if frame.pose is not None:
            write_pose(target / "pose" / f"{frame.number}.txt", frame.pose)
    return sizes[0]


def _nearest(length: int, size: int) -> NDArray[np.int64]:
    """Index of the old pixel that holds each new pixel's centre, (i + 0.5) length / size."""
    return (2 * np.arange(size) + 1) * length // (2 * size)


def _calibrated_for(
    source: Path, intrinsics: Intrinsics, depth_size: tuple[int, int]
) -> tuple[int, int]:
    """Size that the calibration holds for: the depth images', unless it is plainly another's."""
    calibrated = calibration_size(intrinsics)
    tolerance = 0.0 if intrinsics.size is not None else _SIZE_TOLERANCE
    for found, expected in zip(calibrated, depth_size, strict=True):
        if abs(found - expected) > tolerance * expected:
            raise InputError(
                f"{source}: found {FILE_NAME} for an image of about {_text(calibrated)} pixels, "
                f"expected {_text(depth_size)} as the depth frames; export the scene again with "
                "its own intrinsics"
            )
    return depth_size


def _make_folders(target: Path) -> None:
    if target.exists() and any(target.iterdir()):
        raise InputError(
            f"{target}: found a folder that is not empty, expected none or an empty one; remove it "
            "so that old and new frames cannot mix"
        )
    for name in ("color", "depth", "pose"):
        (target / name).mkdir(parents=True)


def _text(size: tuple[float, float]) -> str:
    return f"{size[0]:.0f}x{size[1]:.0f}"
