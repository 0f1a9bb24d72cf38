"""Posed RGB-D scenes: what a frame and a scene are, and scenes that lie in a folder.

Folder layout: `color/<n>.jpg|png`, `depth/<n>.png`, `pose/<n>.txt`, `intrinsic_depth.txt`; the
files of a frame share the number n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lynx.errors import InputError
from lynx.media.image_files import Float64, UInt8, UInt16, read_color, read_depth, read_pose
from lynx.media.intrinsics import Intrinsics, read_intrinsics

_COLOR = (".jpg", ".jpeg", ".png")
_DEPTH = (".png",)
_POSE = (".txt",)


class RgbdFrame(Protocol):
    """One frame of a scene; its images are read when asked for."""

    @property
    def number(self) -> int:
        """Place in the recording."""

    @property
    def pose(self) -> Float64 | None:
        """Camera-to-world (4, 4) with metres, None where the camera was not located."""

    def color(self) -> UInt8:
        """Colour image, uint8 (H, W, 3)."""

    def depth(self) -> UInt16:
        """Depth map, uint16 (H, W) in millimetres, 0 where not measured."""


class RgbdScene(Protocol):
    """A recording: its depth camera and its frames in order."""

    @property
    def name(self) -> str:
        """Scene id."""

    @property
    def intrinsics(self) -> Intrinsics:
        """Depth camera, as stored."""

    @property
    def frames(self) -> Sequence[RgbdFrame]:
        """Frames by rising number."""


@dataclass(frozen=True)
class FolderFrame:
    """A frame whose images are files."""

    number: int
    pose: Float64 | None = field(compare=False)
    color_file: Path
    depth_file: Path

    def color(self) -> UInt8:
        """Read the colour image; see `read_color`."""
        return read_color(self.color_file)

    def depth(self) -> UInt16:
        """Read the depth map; see `read_depth`."""
        return read_depth(self.depth_file)


@dataclass(frozen=True)
class FolderScene:
    """A scene folder."""

    name: str
    intrinsics: Intrinsics
    frames: tuple[FolderFrame, ...]


def open_folder(scene_dir: Path) -> FolderScene:
    """Open a scene folder: calibration, poses and the list of frames; no image is read.

    Raises:
        InputError: as `read_intrinsics` and `list_frames`.
    """
    return FolderScene(scene_dir.name, read_intrinsics(scene_dir), list_frames(scene_dir))


def list_frames(scene_dir: Path) -> tuple[FolderFrame, ...]:
    """Pair a scene folder's colour, depth and pose files by number, by rising number.

    A frame without a pose file has the pose None, as one that ScanNet could not place.

    Raises:
        InputError: a folder is missing or holds no image, a stem is no number or occurs twice, a
            colour frame has no depth or the reverse, or a pose is malformed.
    """
    color = _numbered(scene_dir / "color", _COLOR)
    depth = _numbered(scene_dir / "depth", _DEPTH)
    _require_partner(color, depth, "depth")
    _require_partner(depth, color, "color")
    poses = _numbered(scene_dir / "pose", _POSE) if (scene_dir / "pose").is_dir() else {}
    return tuple(
        FolderFrame(
            number,
            read_pose(poses[number]) if number in poses else None,
            color[number],
            depth[number],
        )
        for number in sorted(color)
    )


def _numbered(folder: Path, suffixes: tuple[str, ...]) -> dict[int, Path]:
    """Files of a folder by the integer they are named by."""
    found: dict[int, Path] = {}
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in files:
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        if not (path.stem.isascii() and path.stem.isdecimal()):
            raise InputError(
                f"{path}: found a name that is no number, expected <frame number>{path.suffix}; "
                "rename or remove the file"
            )
        number = int(path.stem)
        if number in found:
            raise InputError(
                f"{path}: found a second file for frame {number} beside {found[number].name}, "
                "expected one; remove one of them"
            )
        found[number] = path
    if not found:
        raise InputError(
            f"{folder}: found no {' or '.join(suffixes)} file, expected one per frame; export the "
            "scene again"
        )
    return found


def _require_partner(frames: dict[int, Path], partners: dict[int, Path], kind: str) -> None:
    for number, path in sorted(frames.items()):
        if number not in partners:
            raise InputError(
                f"{path}: found no {kind} frame {number}, expected one in "
                f"{path.parent.parent / kind}; export the scene again or remove this frame"
            )
