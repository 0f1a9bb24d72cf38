"""ScanNet `.sens` recordings, version 4, read frame by frame without an export.

A file is a header, then frames of a fixed 96-byte head (pose, time stamps, two sizes) and the
compressed colour and depth. Opening a file walks over the heads; pictures are read when asked for.
All numbers are little-endian.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lynx.errors import InputError
from lynx.media.image_files import Float64, UInt8, UInt16, checked_pose, decode_color
from lynx.media.intrinsics import Intrinsics, from_matrix

VERSION = 4
_COLOR_CODINGS = {0: "raw", 1: "png", 2: "jpeg"}
_DEPTH_CODINGS = {0: "raw", 1: "zlib", 2: "occi"}
_FRAME_HEAD = struct.Struct("<16f4Q")
_CAMERAS = struct.Struct("<64f")  # intrinsic and extrinsic of colour, then of depth
_FORMAT = struct.Struct("<2i4IfQ")


@dataclass(frozen=True)
class SensFormat:
    """How the pictures of one file are stored: codings, (width, height), depth units a metre."""

    color_coding: str
    depth_coding: str
    color_size: tuple[int, int]
    depth_size: tuple[int, int]
    depth_shift: float


@dataclass(frozen=True)
class SensFrame:
    """One frame: its pose, and where its pictures lie in the file."""

    number: int
    pose: Float64 | None = field(compare=False)
    path: Path
    stored: SensFormat
    color_at: int
    color_bytes: int
    depth_bytes: int

    def color(self) -> UInt8:
        """Decode the colour image, uint8 (H, W, 3).

        Raises:
            InputError: the bytes do not decode to the size that the header states.
        """
        data = self._read(self.color_at, self.color_bytes)
        width, height = self.stored.color_size
        if self.stored.color_coding == "raw":
            self._require_bytes("colour", len(data), width * height * 3)
            return np.frombuffer(data, dtype=np.uint8).reshape(height, width, 3)
        image = decode_color(f"{self.path} frame {self.number}", data)
        if image.shape != (height, width, 3):
            raise InputError(
                f"{self.path} frame {self.number}: found a colour image of {image.shape[1]}x"
                f"{image.shape[0]}, expected {width}x{height} as in the header; download the file "
                "again"
            )
        return image

    def depth(self) -> UInt16:
        """Decode the depth map to uint16 (H, W) in millimetres.

        Raises:
            InputError: the bytes do not decode, or a depth exceeds 65535 mm.
        """
        data = self._read(self.color_at + self.color_bytes, self.depth_bytes)
        width, height = self.stored.depth_size
        if self.stored.depth_coding == "zlib":
            try:
                data = zlib.decompress(data)
            except zlib.error as error:
                raise InputError(
                    f"{self.path} frame {self.number}: found {self.depth_bytes} bytes of depth "
                    "that do not decompress, expected zlib data; download the file again"
                ) from error
        self._require_bytes("depth", len(data), width * height * 2)
        units = np.frombuffer(data, dtype="<u2").reshape(height, width)
        return self._to_millimetres(units.astype(np.uint16))

    def _to_millimetres(self, units: UInt16) -> UInt16:
        if self.stored.depth_shift == 1000:
            return units
        millimetres = np.round(units * (1000.0 / self.stored.depth_shift))
        if millimetres.max() > np.iinfo(np.uint16).max:
            raise InputError(
                f"{self.path} frame {self.number}: found a depth of {millimetres.max():.0f} mm at "
                f"depth shift {self.stored.depth_shift:g}, expected at most 65535 mm; check the "
                "recording"
            )
        return millimetres.astype(np.uint16)

    def _require_bytes(self, what: str, found: int, expected: int) -> None:
        if found != expected:
            raise InputError(
                f"{self.path} frame {self.number}: found {found} bytes of {what}, expected "
                f"{expected} from the size in the header; download the file again"
            )

    def _read(self, at: int, size: int) -> bytes:
        with self.path.open("rb") as stream:
            stream.seek(at)
            data = stream.read(size)
        if len(data) < size:
            raise _truncated(self.path, at + len(data), f"frame {self.number}", at + size)
        return data


@dataclass(frozen=True)
class SensScene:
    """A recording with its depth camera and its frames in order."""

    name: str
    intrinsics: Intrinsics
    frames: tuple[SensFrame, ...]


def open_sens(path: Path) -> SensScene:
    """Index a `.sens` file: header and frame heads are read, pictures are skipped.

    Raises:
        InputError: not a version 4 file, a coding this reader does not have, or the file ends
            before its last frame.
    """
    if not path.is_file():
        raise InputError(f"{path}: not found, expected a .sens recording; download it from ScanNet")
    size = path.stat().st_size
    with path.open("rb") as stream:
        (version,) = _unpack(stream, path, size, struct.Struct("<I"), "header")
        if version != VERSION:
            raise InputError(
                f"{path}: found .sens version {version}, expected {VERSION}; download the scan of "
                "the ScanNet v2 release"
            )
        (length,) = _unpack(stream, path, size, struct.Struct("<Q"), "header")
        _require_size(path, size, "header", stream.tell() + length)
        stream.seek(length, os.SEEK_CUR)  # the sensor's name
        cameras = np.array(_unpack(stream, path, size, _CAMERAS, "header"), dtype=np.float64)
        stored, count = _read_format(stream, path, size)
        depth_camera = cameras.reshape(4, 4, 4)[2]
        intrinsics = from_matrix(f"{path} depth intrinsics", depth_camera, stored.depth_size)
        frames = tuple(_index(stream, path, size, stored, number, count) for number in range(count))
    return SensScene(path.stem, intrinsics, frames)


def _read_format(stream: BinaryIO, path: Path, size: int) -> tuple[SensFormat, int]:
    fields = _unpack(stream, path, size, _FORMAT, "header")
    color, depth, color_width, color_height, depth_width, depth_height, shift, count = fields
    if color not in _COLOR_CODINGS:
        raise InputError(
            f"{path}: found colour compression {color}, expected 0 (raw), 1 (png) or 2 (jpeg); "
            "export the scene with ScanNet's own tool"
        )
    if _DEPTH_CODINGS.get(depth) not in ("raw", "zlib"):
        raise InputError(
            f"{path}: found depth compression {depth} ({_DEPTH_CODINGS.get(depth, 'unknown')}), "
            "expected 0 (raw) or 1 (zlib); export the scene with ScanNet's own tool"
        )
    if not (shift > 0 and color_width and color_height and depth_width and depth_height):
        raise InputError(
            f"{path}: found colour {color_width}x{color_height}, depth {depth_width}x"
            f"{depth_height} and depth shift {shift:g}, expected positive numbers; download the "
            "file again"
        )
    stored = SensFormat(
        _COLOR_CODINGS[color],
        _DEPTH_CODINGS[depth],
        (color_width, color_height),
        (depth_width, depth_height),
        shift,
    )
    return stored, count


def _index(
    stream: BinaryIO, path: Path, size: int, stored: SensFormat, number: int, count: int
) -> SensFrame:
    """Read one frame's head and step over its pictures."""
    what = f"frame {number} of {count}"
    fields = _unpack(stream, path, size, _FRAME_HEAD, what)
    color_bytes, depth_bytes = fields[18:]
    start = stream.tell()
    _require_size(path, size, what, start + color_bytes + depth_bytes)
    stream.seek(start + color_bytes + depth_bytes)
    matrix = np.array(fields[:16], dtype=np.float64).reshape(4, 4)
    pose = checked_pose(f"{path} frame {number}", matrix)
    return SensFrame(number, pose, path, stored, start, color_bytes, depth_bytes)


def _unpack(
    stream: BinaryIO, path: Path, size: int, layout: struct.Struct, what: str
) -> tuple[int, ...]:
    _require_size(path, size, what, stream.tell() + layout.size)
    return layout.unpack(stream.read(layout.size))


def _require_size(path: Path, size: int, what: str, end: int) -> None:
    if size < end:
        raise _truncated(path, size, what, end)


def _truncated(path: Path, size: int, what: str, end: int) -> InputError:
    return InputError(
        f"{path}: found the end of the file at byte {size}, expected {what} to reach byte {end}; "
        "download the file again"
    )
