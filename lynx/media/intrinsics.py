"""Pinhole calibration of a depth camera, and how it follows a resize.

Pixel centres lie at whole coordinates: the first pixel's centre is u = 0, the image spans
[-0.5, W - 0.5], and a principal point in the middle of W pixels is cx = (W - 1) / 2. That is the
convention behind the released rule "the calibrated image is 2 cx + 1 wide".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lynx.errors import InputError
from lynx.media.matrix_text import format_matrix, parse_matrix

FILE_NAME = "intrinsic_depth.txt"
_SIZE_LINE = re.compile(r"^#\s*image size ([1-9]\d*) ([1-9]\d*)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Intrinsics:
    """Focal lengths and principal point in pixels, and the (width, height) they hold for.

    `size` is None where nobody stated it, as in ScanNet's own files; it is then inferred.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    size: tuple[int, int] | None = None


def calibration_size(intrinsics: Intrinsics) -> tuple[float, float]:
    """Width and height in pixels of the image the calibration describes.

    The stated size, else the released rule (2 cx + 1, 2 cy + 1), which takes the principal point
    for the image's middle and is a little off where a real camera's is not (method section 9.3,
    S18).
    """
    if intrinsics.size is not None:
        return float(intrinsics.size[0]), float(intrinsics.size[1])
    return 2 * intrinsics.cx + 1, 2 * intrinsics.cy + 1


def scale_to(intrinsics: Intrinsics, width: int, height: int) -> Intrinsics:
    """Calibration for the same view at `width` x `height` pixels, each axis by its own factor.

    Without a stated size this is the released rule (method section 2.5.2): fx and cx times
    W / (2 cx + 1), fy and cy times H / (2 cy + 1). Multiplying cx alone keeps u = 0 on u = 0, which
    is off by (1 - W / W0) / 2 pixels from where a resize puts it (191.7 for 191.5 at 384 of 640).
    With a stated size (a file that `write_intrinsics` wrote, or an earlier result) it is `resize`,
    which is exact and leaves a calibration of that very size as it is.
    """
    if intrinsics.size is not None:
        return resize(intrinsics, intrinsics.size, (width, height))
    calibrated_width, calibrated_height = calibration_size(intrinsics)
    x, y = width / calibrated_width, height / calibrated_height
    return Intrinsics(
        intrinsics.fx * x,
        intrinsics.fy * y,
        intrinsics.cx * x,
        intrinsics.cy * y,
        (width, height),
    )


def resize(
    intrinsics: Intrinsics, from_size: tuple[int, int], to_size: tuple[int, int]
) -> Intrinsics:
    """Calibration after the image is resized from one (width, height) to another.

    A resize maps image edge to image edge, so a centre u goes to (u + 0.5) s - 0.5. Then
    2 cx' + 1 = (2 cx + 1) s: a principal point in the middle of the old image is in the middle of
    the new one, and the released inference finds the new size from it. For any other principal
    point the size that the result states makes `scale_to` exact.
    """
    x, y = to_size[0] / from_size[0], to_size[1] / from_size[1]
    return Intrinsics(
        intrinsics.fx * x,
        intrinsics.fy * y,
        (intrinsics.cx + 0.5) * x - 0.5,
        (intrinsics.cy + 0.5) * y - 0.5,
        to_size,
    )


def read_intrinsics(scene_dir: Path) -> Intrinsics:
    """Read the depth camera's calibration of a scene folder, as the file states it (unscaled).

    The file is `intrinsic_depth.txt`, or `intrinsic/intrinsic_depth.txt` as ScanNet's exporter
    leaves it: a 4 x 4 or 3 x 3 matrix in text. Nothing is guessed where the released code falls
    back to (1, 1, 0, 0).

    Raises:
        InputError: no such file, or not a pinhole matrix.
    """
    path = scene_dir / FILE_NAME
    if not path.is_file():
        path = scene_dir / "intrinsic" / FILE_NAME
    if not path.is_file():
        raise InputError(
            f"{scene_dir / FILE_NAME}: not found, expected the depth camera's 4x4 matrix in text; "
            "export the scene again with its intrinsics"
        )
    text = path.read_text(encoding="utf-8", errors="replace")
    matrix = parse_matrix(text)
    if matrix is None or matrix.shape not in ((3, 3), (4, 4)):
        raise InputError(
            f"{path}: found text that is not a 4x4 or 3x3 matrix of numbers, expected the depth "
            "camera's intrinsics; export the scene's intrinsics again"
        )
    return from_matrix(str(path), matrix, _stated_size(text))


def write_intrinsics(path: Path, intrinsics: Intrinsics) -> None:
    """Write a 4 x 4 matrix that reads back bit for bit; the size goes into a comment line.

    Readers of plain ScanNet files (`numpy.loadtxt`) skip the comment.
    """
    matrix = np.eye(4)
    matrix[0, 0], matrix[1, 1] = intrinsics.fx, intrinsics.fy
    matrix[0, 2], matrix[1, 2] = intrinsics.cx, intrinsics.cy
    comment = "" if intrinsics.size is None else "# image size {} {}\n".format(*intrinsics.size)
    path.write_text(comment + format_matrix(matrix), encoding="utf-8")


def from_matrix(
    source: str, matrix: NDArray[np.float64], size: tuple[int, int] | None
) -> Intrinsics:
    """Intrinsics of a 3 x 3 or 4 x 4 pinhole matrix; `source` names it in an error.

    Raises:
        InputError: a focal length is not positive, or the principal point is negative or not
            finite.
    """
    fx, fy, cx, cy = (float(matrix[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2)))
    if not (np.isfinite([fx, fy, cx, cy]).all() and fx > 0 and fy > 0 and cx >= 0 and cy >= 0):
        raise InputError(
            f"{source}: found fx {fx:g}, fy {fy:g}, cx {cx:g}, cy {cy:g}, expected positive focal "
            "lengths and a principal point in the image; export the scene's intrinsics again"
        )
    return Intrinsics(fx, fy, cx, cy, size)


def _stated_size(text: str) -> tuple[int, int] | None:
    match = _SIZE_LINE.search(text)
    return None if match is None else (int(match[1]), int(match[2]))
