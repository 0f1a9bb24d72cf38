"""Which frames a video file really shows, found by walking over its packets.

Headers are not believed. Frame i is the i-th in presentation order among the frames that are
shown: packets that an edit list hides, and a packet cut off at the end of the file, are none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from av.sidedata.sidedata import SideData

from lynx.errors import InputError
from lynx.media.container import AGAIN, main_video_stream, open_container, require_decoder
from lynx.media.orientation import Orientation, orientation_of
from lynx.media.video_packets import CodedFrame, are_closed, decode, tell_frames, walk, without_tail

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

WHAT = "a video file"
# Where decord 0.6.0 gives the bytes that PyAV gives. Its scaler treats 10-bit frames otherwise,
# and it takes the padded rows of narrow frames for a fourth channel.
_CODECS_OF_DECORD = ("h264", "hevc", "vp9", "mpeg4")
_FORMATS_OF_DECORD = ("yuv420p", "yuvj420p", "yuv422p", "yuv444p")
_LEAST_WIDTH_OF_DECORD = 64


@dataclass(frozen=True)
class _Header:
    """What the header says; read before the container closes, which frees it."""

    frames: int | None
    time_base: Fraction
    frame_seconds: float


@dataclass(frozen=True)
class VideoIndex:
    """The shown frames of a file by presentation order, and what is needed to reach them.

    `pts[i]` is the time of frame i, `keys` the times of key frames in rising order, and
    `places` the place of a packet in the file by its time. `width` and `height` are as shown.
    `decord_agrees` says whether decord counts, finds and converts the same frames.
    """

    path: Path
    pts: tuple[int, ...]
    keys: tuple[int, ...]
    places: dict[int, int] = field(repr=False)
    time_base: Fraction
    seconds: float
    declared: int | None
    width: int
    height: int
    orientation: Orientation
    decord_agrees: bool

    def key_number(self, pts: int) -> int:
        """Number of the last key frame that is shown at or before `pts`; 0 if none is."""
        return max(0, bisect_right(self.keys, pts) - 1)


def index_video(path: Path) -> VideoIndex:
    """Walk over a file's packets (no decoding but of one frame where the packets can be trusted).

    Other containers and codecs than `tell_frames` names, and a file that starts in the middle of a
    group of pictures, are decoded once to see what comes out.

    Raises:
        InputError: missing, empty, corrupt, no video stream, or no frame that can be decoded.
    """
    with open_container(path, WHAT) as container:
        stream = video_stream(path, container)
        stored = walk(container, stream)
        coded = without_tail(stored)
        told = tell_frames(container, stream, coded)
        readable = _decord_reads(container, stream)
        header = _header(stream)
    first = _first_frame(path)
    shown = sorted(f.time for f in coded if not f.hidden) if told else _decoded_times(path)
    orientation = orientation_of(_display_matrix(first))
    width, height = first.width, first.height
    if orientation.transposed:
        width, height = height, width
    return VideoIndex(
        path=path,
        pts=tuple(shown),
        keys=tuple(sorted(frame.time for frame in coded if frame.key and frame.pts is not None)),
        places={frame.pts: place for place, frame in enumerate(stored) if frame.pts is not None},
        time_base=header.time_base,
        seconds=_seconds(header, coded, shown),
        declared=header.frames,
        width=width,
        height=height,
        orientation=orientation,
        decord_agrees=(
            told
            and readable
            and not any(frame.hidden for frame in coded)
            and are_closed(coded)
            and first.format.name in _FORMATS_OF_DECORD
            and orientation.is_rotation
            and width >= _LEAST_WIDTH_OF_DECORD
        ),
    )


def video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The stream that is read, set to decode in this thread alone (loaders run one per core)."""
    stream = main_video_stream(container)
    if stream is None:
        raise InputError(
            f"{path}: found no video stream, expected {WHAT}; correct the path or get the video"
        )
    require_decoder(path, stream, "H.264")
    stream.codec_context.thread_count = 1
    return stream


def _decord_reads(container: InputContainer, stream: VideoStream) -> bool:
    # With a second stream decord's own FFmpeg may choose another one.
    return len(container.streams.video) == 1 and stream.codec_context.name in _CODECS_OF_DECORD


def _first_frame(path: Path) -> VideoFrame:
    """The first frame that decodes, which tells the size and how it is turned."""
    with open_container(path, WHAT) as container:
        for _, frames in decode(container, video_stream(path, container)):
            if frames:
                return frames[0]
    raise InputError(
        f"{path}: found {path.stat().st_size} bytes of which no video frame decodes, expected "
        f"{WHAT}; {AGAIN}"
    )


def _decoded_times(path: Path) -> list[int]:
    """Times of the frames that come out of the decoder, and of damaged ones between them.

    A damaged frame keeps its number, so that asking for it is an error and no other one shifts; at
    either end of the file it does not count.
    """
    whole: set[int] = set()
    damaged: set[int] = set()
    with open_container(path, WHAT) as container:
        for pts, frames in decode(container, video_stream(path, container)):
            if frames is None and pts is not None:
                damaged.add(pts)
            for frame in frames or ():
                if frame.pts is None or frame.pts in whole | damaged:
                    raise InputError(
                        f"{path}: found frames without times of their own, expected a time stamp "
                        "on each; convert the file to MP4"
                    )
                (damaged if frame.is_corrupt else whole).add(frame.pts)
    inside = {pts for pts in damaged if whole and min(whole) < pts < max(whole)}
    return sorted(whole | inside)


def _display_matrix(frame: VideoFrame) -> bytes | None:
    data = frame.side_data.get("DISPLAYMATRIX")
    return bytes(data) if isinstance(data, SideData) else None


def _header(stream: VideoStream) -> _Header:
    assert stream.time_base is not None  # every demuxed stream has one
    rate = stream.average_rate
    return _Header(stream.frames or None, stream.time_base, float(1 / rate) if rate else 0.0)


def _seconds(header: _Header, coded: Sequence[CodedFrame], shown: Sequence[int]) -> float:
    """From the first shown frame to the end of the last; one without a duration gets the mean."""
    span = shown[-1] - shown[0]
    lasting = max((frame.duration for frame in coded if frame.pts == shown[-1]), default=0)
    if lasting == 0 and len(shown) > 1:
        return float(span * header.time_base) * len(shown) / (len(shown) - 1)
    if lasting == 0:
        return header.frame_seconds
    return float((span + lasting) * header.time_base)
