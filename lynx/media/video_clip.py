"""A clip that is a video file, with its sound and with other views of the same moments.

Legend: `F` chosen frames, `H` x `W` stored size, `N` samples of sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lynx.errors import InputError
from lynx.media.audio import read_audio
from lynx.media.clip_table import Bounds
from lynx.media.frame_sampling import Sampling
from lynx.media.inventory import VideoFile, require_listed, require_one_clock
from lynx.media.paths import safe_child
from lynx.media.video import Reader, clip_indices, read_video_frames
from lynx.media.video_index import index_video


@dataclass(frozen=True)
class VideoClip:
    """Video files below `root`, read as they are; a place is the number of a frame of the file.

    A clip with `bounds` is that part of its files: frames, times and sound are of it alone.
    """

    name: str
    root: Path
    files: tuple[VideoFile, ...]
    reader: Reader
    bounds: Bounds | None = None

    @property
    def seconds(self) -> float:
        """Length of the clip."""
        start, end = self._bounds
        return end - start

    @property
    def _bounds(self) -> Bounds:
        """Where the clip starts and ends in its video, in seconds."""
        length = self.files[0].seconds
        start, end = self.bounds or (0.0, length)
        return start, min(end, length)

    def choose(self, steps: int, sampling: Sampling) -> tuple[int, ...]:
        """Frames spread evenly over the clip (method section 2.4).

        With bounds, from the frame nearest to the start to that nearest to the end, both included
        (MVBench's own rule).

        Raises:
            InputError: `sampling` is by pose, which a video has none of.
        """
        if sampling != "uniform":
            raise InputError(
                f"view.sampling: found {sampling!r} for the video {self.files[0].name}, expected "
                "'uniform' because a video has no camera poses; correct the recipe"
            )
        video = self.files[0]
        if self.bounds is None:
            return clip_indices(video.frames, steps)
        first, last = (round(moment * video.rate) for moment in self.bounds)
        frames = min(last, video.frames - 1) - first + 1
        return tuple(first + index for index in clip_indices(frames, steps))

    def items(self, steps: int) -> list[tuple[int, ...]]:
        """One item: `steps` frames spread over the video (method sections 3 and 4.2)."""
        return [self.choose(steps, "uniform")]

    def color(self, places: Sequence[int]) -> NDArray[np.uint8]:
        """The frames at these places (F, H, W, 3)."""
        return read_video_frames(self.path(0), places, self.reader)

    def view(self, number: int, places: Sequence[int]) -> NDArray[np.uint8]:
        """The same moments in another view, 1 being the first: frames of one clock (F, H, W, 3).

        Raises:
            InputError: the clip has no such view, or one of another number of frames.
        """
        # Stage `frames` counts such clips as missing, so an inventory of today lists none.
        require_listed(self.name, self.files[0].name, len(self.files) - 1, number)
        require_one_clock(self.files[0], self.files[number])
        return read_video_frames(self.path(number), places, self.reader)

    def times(self, places: Sequence[int]) -> list[float]:
        """When the frames at these places are shown, in seconds of the clip, whatever its rate."""
        start, _ = self._bounds
        index = index_video(self.path(0))
        first = index.pts[0]
        return [float((index.pts[place] - first) * index.time_base) - start for place in places]

    def sound(self, rate: int) -> NDArray[np.float32]:
        """The first file's sound (N,), mono at `rate` Hz; nothing where it has no track."""
        samples = read_audio(self.path(0), rate).samples
        if self.bounds is None:
            return samples
        start, end = self._bounds
        return samples[round(start * rate) : round(end * rate)]

    def path(self, view: int) -> Path:
        """The file of a view, which is still the one that was inspected.

        Raises:
            InputError: its size has changed since.
        """
        file = self.files[view]
        path = safe_child(self.root, file.name)
        found = path.stat().st_size if path.is_file() else None
        if found != file.bytes:
            what = "no file" if found is None else f"{found} bytes"
            raise InputError(
                f"{path}: found {what}, expected {file.bytes} bytes as when it was inspected; "
                "restore the file, or run the frames rule again"
            )
        return path
