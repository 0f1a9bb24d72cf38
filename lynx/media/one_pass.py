"""Several streams of one video, for which its frames are decoded once (method section 2.5.4).

Legend: `F` frames, `H` x `W` pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lynx.media.clip import Clip
from lynx.media.shelf import Shelf
from lynx.media.video_clip import VideoClip

Seen = Callable[[Clip], Sequence[int]]
"""The places of a clip that its streams are made of."""


@dataclass(frozen=True)
class DecodedOnce(VideoClip):
    """A video whose frames at `seen` places (rising) are decoded together and kept."""

    seen: tuple[int, ...] = ()

    @cached_property
    def _frames(self) -> NDArray[np.uint8]:
        return super().color(self.seen)

    def color(self, places: Sequence[int]) -> NDArray[np.uint8]:
        """The frames at these places (F, H, W, 3); others than `seen` are decoded by themselves."""
        if not set(places) <= set(self.seen):
            return super().color(places)
        return self._frames[np.searchsorted(self.seen, places)]


@dataclass
class OnePassShelf:
    """A shelf that keeps the newest clip open, its video decoded once for all that read it."""

    shelf: Shelf
    seen: Seen
    newest: Clip | None = field(default=None, init=False)

    def usable(self, clip: str) -> bool:
        """As the shelf says."""
        return self.shelf.usable(clip)

    def open(self, clip: str) -> Clip:
        """The clip; one that is no video file is the shelf's own."""
        if self.newest is None or self.newest.name != clip:
            self.newest = decoded_once(self.shelf.open(clip), self.seen)
        return self.newest


def decoded_once(clip: Clip, seen: Seen) -> Clip:
    """The clip with the frames of a video decoded in one pass."""
    if not isinstance(clip, VideoClip):
        return clip
    places = tuple(sorted(set(seen(clip))))
    return DecodedOnce(clip.name, clip.root, clip.files, clip.reader, clip.bounds, places)
