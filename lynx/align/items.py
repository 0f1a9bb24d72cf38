"""What stages 1 and 2 read of the training clips: items of a few time steps each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from lynx.benchmarks.stage import training_clips
from lynx.features.clips import open_shelf, video_pixels
from lynx.media.clip import Clip
from lynx.media.shelf import Shelf
from lynx.model.pixels import FrameProcessor
from lynx.project import Project

Shelves = Mapping[str, Shelf]


@dataclass(frozen=True)
class ClipItem:
    """Some time steps of one clip, by their places; `source` is the benchmark it belongs to."""

    source: str
    clip: str
    places: tuple[int, ...]

    def open(self, shelves: Shelves) -> Clip:
        """The clip itself."""
        return shelves[self.source].open(self.clip)


def open_sources(project: Project, sources: Sequence[str]) -> Shelves:
    """The shelves of the benchmarks whose training clips are used."""
    return {source: open_shelf(project, source) for source in sources}


def clip_items(project: Project, shelves: Shelves, steps: int) -> list[ClipItem]:
    """Every item of every usable training clip of the shelves, each clip once.

    A scene gives consecutive chunks of all its frames, a video one item of frames spread over it.
    """
    return [
        ClipItem(source, clip, places)
        for source, clip in training_clips(project, list(shelves))
        if shelves[source].usable(clip)
        for places in shelves[source].open(clip).items(steps)
    ]


def reference_pixels(shelves: Shelves, item: ClipItem, processor: FrameProcessor) -> torch.Tensor:
    """Pixels (F, 3, P, P) of an item's ordinary video."""
    return video_pixels(processor, item.open(shelves), item.places)
