"""Frames of a video by index with PyAV: seek to the key frame before, decode forward, pick by time.

Legend: `F` frames, `H` x `W` size as shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import av
import numpy as np
from numpy.typing import NDArray

from lynx.errors import InputError
from lynx.media.container import AGAIN, open_container
from lynx.media.video_index import WHAT, VideoIndex, video_stream
from lynx.media.video_packets import decode

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


def read_with_pyav(index: VideoIndex, numbers: Sequence[int]) -> NDArray[np.uint8]:
    """Decode the frames `numbers` (rising, no repeats) to (F, H, W, 3).

    Raises:
        InputError: one of them cannot be decoded whole, or has another size than the first frame.
    """
    frames = np.empty((len(numbers), index.height, index.width, 3), np.uint8)
    row = {index.pts[number]: place for place, number in enumerate(numbers)}
    with open_container(index.path, WHAT) as container:
        stream = video_stream(index.path, container)
        for key, wanted in groupby(row, key=index.key_number):
            for pts, frame in _decode_group(index, container, stream, key, list(wanted)):
                frames[row[pts]] = _to_rgb(index, pts, frame)
    return frames


def _decode_group(
    index: VideoIndex,
    container: InputContainer,
    stream: VideoStream,
    key: int,
    wanted: Sequence[int],
) -> Iterator[tuple[int, VideoFrame]]:
    """The frames at the times `wanted` (rising), which follow key frame number `key`.

    A seek can land behind its key frame (MPEG-TS has no index); then the key frame before is tried,
    and at last the whole file is decoded from its start.
    """
    for number in (key, key - 1):
        if 0 <= number < len(index.keys):
            try:
                container.seek(index.keys[number], stream=stream)
            except av.FFmpegError:
                break  # decode the whole file
            found = _pick(index, decode(container, stream), wanted)
            if len(found) == len(wanted):
                yield from found.items()
                return
    with open_container(index.path, WHAT) as whole:
        found = _pick(index, decode(whole, video_stream(index.path, whole)), wanted)
    missing = [pts for pts in wanted if pts not in found]
    if missing:
        raise _damaged(index, missing[0])
    yield from found.items()


def _pick(
    index: VideoIndex,
    steps: Iterable[tuple[int | None, list[VideoFrame] | None]],
    wanted: Sequence[int],
) -> dict[int, VideoFrame]:
    """Those frames at the times `wanted` that come out, up to the last of these times.

    Raises:
        InputError: one is damaged, or depends on a packet that is.
    """
    found: dict[int, VideoFrame] = {}
    spoilt: list[int | None] = []
    for packet_pts, frames in steps:
        if frames is None:
            spoilt.append(packet_pts)
        for frame in frames or ():
            time = frame.pts
            if frame.is_corrupt:
                spoilt.append(time)
            if time is None:
                continue
            if time in wanted:
                if any(_needs(index, time, pts) for pts in spoilt):
                    raise _damaged(index, time)
                found[time] = frame
            # Behind damage frames do not come out in order of time any more.
            if len(found) == len(wanted) or (time > wanted[-1] and not spoilt):
                return found
    return found


def _needs(index: VideoIndex, pts: int, spoilt: int | None) -> bool:
    """Whether the packet `spoilt` is stored from the frame's key frame up to the frame itself.

    Not every such frame is a reference of it, but which are the container does not say. A packet
    without a known place counts.
    """
    key = index.keys[index.key_number(pts)] if index.keys else pts
    start, end = index.places.get(key), index.places.get(pts)
    place = None if spoilt is None else index.places.get(spoilt)
    if start is None or end is None or place is None:
        return True
    return start <= place <= end


def _damaged(index: VideoIndex, pts: int) -> InputError:
    return InputError(
        f"{index.path}: found damage at frame {index.pts.index(pts)} of {len(index.pts)}, expected "
        f"frames that decode whole; {AGAIN}"
    )


def _to_rgb(index: VideoIndex, pts: int, frame: VideoFrame) -> NDArray[np.uint8]:
    rgb = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    shown = index.orientation.apply(rgb)
    if shown.shape != (index.height, index.width, 3):
        raise InputError(
            f"{index.path}: found {shown.shape[1]}x{shown.shape[0]} pixels at frame "
            f"{index.pts.index(pts)}, expected {index.width}x{index.height} as in the first frame; "
            "convert the file to one size"
        )
    return shown
