"""Where clips are taken from: prepared scenes, or the video files that an inventory lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lynx.errors import InputError
from lynx.media.clip import Clip, RgbdClip
from lynx.media.inventory import InspectedClip, read_inventory
from lynx.media.paths import safe_child
from lynx.media.posed_rgbd import open_folder
from lynx.media.video import Reader
from lynx.media.video_clip import VideoClip

SCANS = "scans"


class Shelf(Protocol):
    """The clips of one benchmark."""

    def usable(self, clip: str) -> bool:
        """Whether the clip can be opened; one that cannot was counted against a budget."""

    def open(self, clip: str) -> Clip:
        """A clip by its id."""


@dataclass(frozen=True)
class SceneShelf:
    """Prepared posed RGB-D scenes below a frames artefact."""

    frames: Path

    def usable(self, clip: str) -> bool:
        """Every scene is: one that is missing has failed its job."""
        return True

    def open(self, clip: str) -> Clip:
        """A scene by its id; InputError if the frames artefact does not hold it."""
        folder = safe_child(self.frames / SCANS, clip)
        if not folder.is_dir():
            raise InputError(
                f"{folder}: no prepared frames of this clip; run the frames rule again"
            )
        return RgbdClip(open_folder(folder))


@dataclass(frozen=True)
class VideoShelf:
    """Video files below `root`, as listed for one benchmark."""

    root: Path
    clips: Mapping[str, InspectedClip]
    reader: Reader

    @classmethod
    def read(cls, frames: Path, benchmark: str, root: Path, reader: Reader) -> VideoShelf:
        """The videos that a frames artefact lists for a benchmark."""
        return cls(root, read_inventory(frames, benchmark), reader)

    def usable(self, clip: str) -> bool:
        """Whether the clip's files could all be read when they were inspected."""
        return clip in self.clips

    def open(self, clip: str) -> VideoClip:
        """A video by its clip id; InputError if the inventory does not list it."""
        if clip not in self.clips:
            raise InputError(
                f"clip {clip!r}: found no entry in the inventory of {self.root}, expected one; "
                "run the frames rule again"
            )
        found = self.clips[clip]
        return VideoClip(clip, self.root, found.files, self.reader, found.bounds)
