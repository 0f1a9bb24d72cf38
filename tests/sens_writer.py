"""Writes `.sens` recordings (ScanNet, version 4), so that tests need no scan."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass
class Recording:
    """Pictures, poses and the header fields of one file."""

    colors: Sequence[np.ndarray]
    depths: Sequence[np.ndarray]
    poses: Sequence[np.ndarray]
    intrinsic_depth: np.ndarray
    color_coding: int = 2
    depth_coding: int = 1
    depth_shift: float = 1000.0
    version: int = 4


def raw_bytes(color: np.ndarray) -> bytes:
    return color.tobytes()


def jpeg_bytes(color: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(color).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def png_bytes(color: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(color).save(stream, "PNG")
    return stream.getvalue()


def write_sens(path: Path, recording: Recording) -> list[int]:
    """Write the file; return the byte offset at which each frame ends."""
    encode_color = {0: raw_bytes, 1: png_bytes, 2: jpeg_bytes}[recording.color_coding]
    eye = np.eye(4, dtype="<f4").tobytes()
    name = b"StructureSensor"
    color_height, color_width = recording.colors[0].shape[:2]
    depth_height, depth_width = recording.depths[0].shape
    data = struct.pack("<IQ", recording.version, len(name)) + name
    data += eye + eye + recording.intrinsic_depth.astype("<f4").tobytes() + eye
    data += struct.pack("<ii", recording.color_coding, recording.depth_coding)
    data += struct.pack("<IIII", color_width, color_height, depth_width, depth_height)
    data += struct.pack("<fQ", recording.depth_shift, len(recording.colors))
    ends = []
    for index, (color, depth, pose) in enumerate(
        zip(recording.colors, recording.depths, recording.poses, strict=True)
    ):
        picture = encode_color(color)
        units = depth.astype("<u2").tobytes()
        units = zlib.compress(units) if recording.depth_coding == 1 else units
        data += pose.astype("<f4").tobytes()
        data += struct.pack("<QQQQ", 33 * index, 33 * index, len(picture), len(units))
        data += picture + units
        ends.append(len(data))
    path.write_bytes(data)
    return ends


def pinhole(width: int, height: int, focal: float) -> np.ndarray:
    """A 4 x 4 matrix with the principal point in the middle."""
    matrix = np.eye(4)
    matrix[0, 0] = matrix[1, 1] = focal
    matrix[0, 2], matrix[1, 2] = (width - 1) / 2, (height - 1) / 2
    return matrix
