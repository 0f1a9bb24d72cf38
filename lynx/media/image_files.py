"""One colour image, one depth map, one pose: files and bytes to arrays, with every fault named."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from lynx.errors import InputError
from lynx.media.matrix_text import parse_matrix

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]
Float64 = NDArray[np.float64]

_BROKEN = (OSError, SyntaxError, ValueError)  # what Pillow raises for bytes it cannot decode
_EIGHT_BIT = ("RGB", "RGBA", "L", "LA", "P", "CMYK", "YCbCr")


def read_color(path: Path) -> UInt8:
    """Read a colour image as uint8 (H, W, 3).

    Raises:
        InputError: missing, truncated, or not an 8-bit image.
    """
    return decode_color(str(path), _read_bytes(path, "a colour image"))


def read_depth(path: Path) -> UInt16:
    """Read a 16-bit grey PNG as uint16 (H, W) in millimetres; 0 means no measurement.

    Raises:
        InputError: missing, truncated, or not a 16-bit grey image.
    """
    image = _decode(str(path), _read_bytes(path, "a depth image"), "depth image")
    if not image.mode.startswith("I;16"):
        raise InputError(
            f"{path}: found an image of mode {image.mode}, expected 16-bit grey (I;16) with depth "
            "in millimetres; export the depth again as a 16-bit PNG"
        )
    return np.asarray(image).astype(np.uint16)


def read_pose(path: Path) -> Float64 | None:
    """Read a camera-to-world matrix as float64 (4, 4), translation in metres.

    Returns None where a number is not finite: ScanNet writes -inf for frames that its
    reconstruction could not place.

    Raises:
        InputError: missing, not 4 x 4 numbers, or a last row other than 0 0 0 1.
    """
    text = _read_bytes(path, "a camera pose").decode("utf-8", errors="replace")
    matrix = parse_matrix(text)
    if matrix is None or matrix.shape != (4, 4):
        raise InputError(
            f"{path}: found text that is not a 4x4 matrix of numbers, expected a camera-to-world "
            "pose; export this frame's pose again"
        )
    return checked_pose(str(path), matrix)


def checked_pose(source: str, matrix: Float64) -> Float64 | None:
    """Return a (4, 4) pose, None for one that is not finite; `source` names it in an error.

    Raises:
        InputError: the last row is not 0 0 0 1, as in a transposed matrix.
    """
    if not np.isfinite(matrix).all():
        return None
    if not np.allclose(matrix[3], (0, 0, 0, 1), atol=1e-4):
        found = " ".join(f"{value:g}" for value in matrix[3])
        raise InputError(
            f"{source}: found a pose whose last row is {found}, expected 0 0 0 1; store it as "
            "camera-to-world, row by row"
        )
    return matrix


def decode_color(source: str, data: bytes) -> UInt8:
    """Decode a colour image file held in memory to uint8 (H, W, 3); `source` names it in an error.

    Raises:
        InputError: the bytes are no whole image, or not 8 bits a channel.
    """
    image = _decode(source, data, "colour image")
    if image.mode not in _EIGHT_BIT:
        raise InputError(
            f"{source}: found an image of mode {image.mode}, expected 8-bit colour (RGB); export "
            "the colour frames again"
        )
    return np.asarray(image.convert("RGB"))


def _read_bytes(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            f"{path}: not found, expected {what}; copy or export the scene again"
        ) from error


def _decode(source: str, data: bytes, what: str) -> Image.Image:
    try:
        with _whole_files_only():
            image = Image.open(io.BytesIO(data))
            image.load()
    except _BROKEN as error:
        raise InputError(
            f"{source}: found {len(data)} bytes that do not decode, expected a whole {what}; "
            "copy or export it again"
        ) from error
    return image


@contextmanager
def _whole_files_only() -> Iterator[None]:
    """Refuse a truncated file whatever another library of this process has told Pillow.

    Importing lmms-eval's dependencies turns it lenient: it would fill the missing part with gray.
    """
    lenient = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient
