"""Depth maps as colour pictures: grey, Turbo disparity, surface normals (method section 2.5.2).

Legend: `F` depth maps, `K` pictures per map, `H` x `W` pixels. Depth is uint16 millimetres, 0 where
not measured; a clip range is (near, far) in millimetres.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from lynx.config.drawing import Drawing
from lynx.config.strict import Positive
from lynx.errors import InputError
from lynx.media.clip import RgbdClip
from lynx.media.intrinsics import Intrinsics, scale_to
from lynx.modalities.registry import Modality

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]
Float64 = NDArray[np.float64]
Encoding = Literal["gray", "turbo", "normals", "turbo+normals"]
NormalsFrame = Literal["camera", "world"]
ClipRange = tuple[float, float]

_DEPTHS = np.arange(2**16)
_INVALID_NORMAL = 128
# Published degree-5 fit of the Turbo colour map, coefficients of x^0 ... x^5.
_TURBO = (
    (0.13572138, 4.61539260, -42.66032258, 132.13108234, -152.94239396, 59.28637943),
    (0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604),
    (0.10667330, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973),
)


class DepthDrawing(Drawing):
    """How a depth map becomes pseudo-frames (method section 2.5.2)."""

    modality: Literal["depth"]
    encoding: Encoding
    clip_mm: tuple[Positive, Positive]
    normals_frame: NormalsFrame

    @model_validator(mode="after")
    def _clip_is_a_range(self) -> DepthDrawing:
        if self.clip_mm[0] >= self.clip_mm[1]:
            raise ValueError(f"clip_mm {list(self.clip_mm)} is not a range [near, far] in mm")
        return self

    @property
    def paired(self) -> bool:
        """Two encodings of one map stand one behind the other."""
        return "+" in self.encoding

    def pseudo_frames(self, steps: int) -> int:
        """One picture for each encoding of each map."""
        return steps * (self.encoding.count("+") + 1)


def draw_depth(
    depths: UInt16,
    intrinsics: Intrinsics,
    poses: Sequence[Float64 | None],
    encoding: Encoding,
    clip_mm: ClipRange,
    normals_frame: NormalsFrame,
) -> UInt8:
    """Draw depth maps (F, H, W) as uint8 (F * K, H, W, 3); K = 2 for turbo+normals, else 1.

    `turbo+normals` alternates: turbo of map 0, normals of map 0, turbo of map 1, ... The
    calibration is scaled to the maps' size by `scale_to`, as the released loader does.

    Raises:
        InputError: normals in the world frame are asked for and a map has no pose.
        ValueError: `depths` is not (F, H, W) uint16, or there are not F poses.
    """
    if depths.ndim != 3 or depths.dtype != np.uint16 or len(poses) != len(depths):
        raise ValueError(
            f"{len(poses)} poses and depth {depths.dtype} {depths.shape}; expected (F, H, W) "
            "uint16 and a pose or None for each map"
        )
    camera = scale_to(intrinsics, width=depths.shape[2], height=depths.shape[1])
    kinds = encoding.split("+")
    drawn = np.empty((len(depths), len(kinds), *depths.shape[1:], 3), dtype=np.uint8)
    for index, (depth, pose) in enumerate(zip(depths, poses, strict=True)):
        for place, kind in enumerate(kinds):
            if kind == "gray":
                drawn[index, place] = gray(depth, clip_mm)
            elif kind == "turbo":
                drawn[index, place] = turbo(depth, clip_mm)
            else:
                drawn[index, place] = normals(depth, camera, clip_mm, normals_frame, pose)
    return drawn.reshape(-1, *depths.shape[1:], 3)


def gray(depth: UInt16, clip_mm: ClipRange) -> UInt8:
    """Draw depth (H, W) linearly as grey (H, W, 3): near is 0, far and unmeasured are 255."""
    return _gray_levels(clip_mm)[depth]


def turbo(depth: UInt16, clip_mm: ClipRange) -> UInt8:
    """Draw disparity of depth (H, W) in Turbo colours (H, W, 3).

    Disparity 1 / (metres + 1e-6) runs from 0 at the far to 1 at the near limit; unmeasured pixels
    count as far.
    """
    return _turbo_levels(clip_mm)[depth]


@lru_cache(maxsize=1)
def turbo_table() -> UInt8:
    """Turbo colour map (256, 3), from the polynomial fit clipped to [0, 1] and rounded."""
    levels = np.arange(256) / 255.0
    powers = levels[:, None] ** np.arange(6)
    channels = np.clip(powers @ np.array(_TURBO).T, 0.0, 1.0)
    return _read_only(np.round(channels * 255).astype(np.uint8))


def normals(
    depth: UInt16,
    intrinsics: Intrinsics,
    clip_mm: ClipRange,
    frame: NormalsFrame = "camera",
    camera_to_world: Float64 | None = None,
) -> UInt8:
    """Draw surface normals of depth (H, W) as colours (H, W, 3), [-1, 1] onto 0-255.

    The normal is the cross product of the forward differences along u and v of the back-projected,
    clipped depth, turned to z >= 0 in the camera frame; the last row and column repeat the ones
    before. Pixels without depth, or with a neighbour without, are (128, 128, 128). `intrinsics` are
    for this very size.

    Raises:
        InputError: `frame` is "world" and the pose is None.
    """
    if frame == "world" and camera_to_world is None:
        raise InputError(
            "normals_frame: found a depth frame without a pose, expected a camera-to-world matrix "
            "for normals in the world frame; drop that frame or set normals_frame to camera"
        )
    directions = _unit(_camera_normals(_back_project(depth, intrinsics, clip_mm)))
    if frame == "world" and camera_to_world is not None:
        directions = _unit(directions @ camera_to_world[:3, :3].T)
    colours = np.round((directions * 0.5 + 0.5) * 255).astype(np.uint8)
    colours[depth == 0] = _INVALID_NORMAL
    return colours


def _back_project(depth: UInt16, intrinsics: Intrinsics, clip_mm: ClipRange) -> Float64:
    """Points (H, W, 3) in mm in the camera frame (x right, y down, z ahead); NaN where invalid."""
    z = np.clip(depth.astype(np.float64), *clip_mm)
    z[depth == 0] = np.nan
    v, u = np.indices(depth.shape)
    x = (u - intrinsics.cx) * z / intrinsics.fx
    y = (v - intrinsics.cy) * z / intrinsics.fy
    return np.stack([x, y, z], axis=-1)


def _camera_normals(points: Float64) -> Float64:
    """Cross products (H, W, 3) of forward differences, z >= 0, zero where a point is NaN."""
    along_u = points[:-1, 1:] - points[:-1, :-1]
    along_v = points[1:, :-1] - points[:-1, :-1]
    inner = np.nan_to_num(np.cross(along_u, along_v))
    inner[inner[..., 2] < 0] *= -1
    return np.pad(inner, ((0, 1), (0, 1), (0, 0)), mode="edge")


def _unit(vectors: Float64) -> Float64:
    """Vectors at length one; zero stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Float64 = vectors / np.where(length > 0, length, 1.0)
    return unit


# Depth has 65536 values, so a map is drawn by one look-up in a table made once per clip range.


@lru_cache(maxsize=8)
def _gray_levels(clip_mm: ClipRange) -> UInt8:
    near, far = clip_mm
    levels = np.round((_clipped(clip_mm) - near) / (far - near) * 255)
    return _read_only(np.repeat(levels.astype(np.uint8)[:, None], 3, axis=1))


@lru_cache(maxsize=8)
def _turbo_levels(clip_mm: ClipRange) -> UInt8:
    disparity = 1.0 / (_clipped(clip_mm) / 1000.0 + 1e-6)
    nearest, farthest = (1.0 / (limit / 1000.0 + 1e-6) for limit in clip_mm)
    index = np.round((disparity - farthest) / (nearest - farthest) * 255).astype(np.int64)
    return _read_only(turbo_table()[index])


def _clipped(clip_mm: ClipRange) -> Float64:
    """Each depth in mm, clipped; unmeasured counts as far (released behaviour, S18)."""
    return np.clip(np.where(_DEPTHS == 0, clip_mm[1], _DEPTHS).astype(np.float64), *clip_mm)


def _read_only(table: UInt8) -> UInt8:
    table.setflags(write=False)  # it is shared through the cache
    return table


def _draw(clip: RgbdClip, places: Sequence[int], settings: DepthDrawing) -> UInt8:
    """Depth of the frames at `places`, as pseudo-frames (F * K, H, W, 3)."""
    frames = [clip.scene.frames[place] for place in places]
    return draw_depth(
        np.stack([frame.depth() for frame in frames]),
        clip.scene.intrinsics,
        [frame.pose for frame in frames],
        settings.encoding,
        settings.clip_mm,
        settings.normals_frame,
    )


MODALITY = Modality("depth", DepthDrawing, _draw)
