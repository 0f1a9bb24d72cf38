"""Which frames of a clip are shown: evenly spaced, or spread over camera poses.

Legend: `F` frames of the scene, `K` picked frames.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from lynx.errors import InputError
from lynx.media.image_files import Float64

logger = logging.getLogger(__name__)

Sampling = Literal["pose", "uniform"]
_STD_FLOOR = 1e-6


class Posed(Protocol):
    """Anything with a frame number and a camera-to-world pose."""

    @property
    def number(self) -> int:
        """Place in the recording."""

    @property
    def pose(self) -> Float64 | None:
        """(4, 4) or None."""


FrameT = TypeVar("FrameT", bound=Posed)


def uniform_indices(count: int, n: int) -> list[int]:
    """Spread `n` indices over `count` items: linspace(0, count - 1, n) cut to integers.

    One index is the middle item, count // 2. With n > count items repeat in place, 0 0 1 1 2 ...
    (method section 2.4).

    Raises:
        ValueError: `count` or `n` is not positive.
    """
    if count < 1 or n < 1:
        raise ValueError(f"cannot pick {n} of {count} items")
    if n == 1:
        return [count // 2]
    return [int(index) for index in np.linspace(0, count - 1, n).astype(np.int64)]


def farthest_point_indices(features: NDArray[np.floating], k: int) -> list[int]:
    """Pick `k` rows of `features` (F, D) that lie far apart, in the order they are picked.

    The first is the farthest from the mean, each next one the farthest from those picked
    (Euclidean; the lower index on a tie; method section 2.4). k above F gives F indices.
    """
    picked = [int(_squared_distance(features, features.mean(axis=0)).argmax())]
    nearest = _squared_distance(features, features[picked[0]])
    while len(picked) < min(k, len(features)):
        nearest[picked] = -1.0  # so that coinciding rows are not picked twice
        picked.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, _squared_distance(features, features[picked[-1]]))
    return picked


def pose_features(poses: Float64) -> Float64:
    """Describe camera-to-world poses (F, 4, 4) by (F, 6): where the camera is, where it looks.

    Columns 0-2 are the translation, z-scored per axis over the F poses (population standard
    deviation, at least 1e-6 m); columns 3-5 the unit viewing direction, the third column of the
    rotation (method section 2.4).
    """
    translation = poses[:, :3, 3]
    spread = np.maximum(translation.std(axis=0), _STD_FLOOR)
    standardised = (translation - translation.mean(axis=0)) / spread
    forward = poses[:, :3, 2]
    length = np.maximum(np.linalg.norm(forward, axis=1, keepdims=True), _STD_FLOOR)
    return np.concatenate([standardised, forward / length], axis=1)


def select_frames(frames: Sequence[FrameT], n: int, sampling: Sampling, scene: str) -> list[FrameT]:
    """Choose `n` frames of a scene by rising number (method section 2.4).

    `uniform` follows `uniform_indices`. `pose` drops frames without a pose and spreads the choice
    over pose space; a scene with at most `n` posed frames gives all of them, the last one repeated
    up to `n`. One frame is the middle one. With fewer than two posed frames the choice is uniform
    over all frames, and a warning names `scene`.

    Raises:
        InputError: the scene has no frame.
    """
    if not frames:
        raise InputError(f"{scene}: found no frame, expected at least one; export the scene again")
    ordered = sorted(frames, key=lambda frame: frame.number)
    if sampling == "uniform":
        return [ordered[index] for index in uniform_indices(len(ordered), n)]
    poses = [frame.pose for frame in ordered if frame.pose is not None]
    if len(poses) < 2:
        logger.warning(
            "%s: %d of %d frames have a pose, so %d frames are chosen evenly instead of by pose",
            scene, len(poses), len(ordered), n,
        )  # fmt: skip
        return [ordered[index] for index in uniform_indices(len(ordered), n)]
    posed = [frame for frame in ordered if frame.pose is not None]
    if n == 1:
        return [posed[len(posed) // 2]]
    if n >= len(posed):
        return posed + [posed[-1]] * (n - len(posed))
    picked = farthest_point_indices(pose_features(np.stack(poses)), n)
    return [posed[index] for index in sorted(picked)]


def _squared_distance(features: NDArray[np.floating], point: NDArray[np.floating]) -> Float64:
    difference = np.asarray(features - point, dtype=np.float64)
    squared: Float64 = np.einsum("fd,fd->f", difference, difference)
    return squared
