"""The coded frames of a video stream: walking over them, and decoding them one after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_INDEXED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
# Codecs of which one packet is one shown frame. VP8 has hidden ones, MPEG-4 in AVI packs two.
_FRAME_PER_PACKET = ("h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg")


@dataclass(frozen=True)
class CodedFrame:
    """What the container says of one packet; times in units of the stream's time base.

    `hidden`: an edit list leaves it out, though later frames may need it to decode. `cut`: the file
    does not hold all of it.
    """

    pts: int | None
    duration: int
    key: bool
    hidden: bool
    cut: bool

    @property
    def time(self) -> int:
        """`pts`, of a packet that was checked to have one."""
        assert self.pts is not None
        return self.pts


def coded_frame(packet: Packet[Any]) -> CodedFrame:
    """What is kept of a packet."""
    return CodedFrame(
        packet.pts,
        packet.duration or 0,
        packet.is_keyframe,
        packet.is_discard,
        packet.is_corrupt,
    )


def first_shown(coded: Iterable[CodedFrame]) -> int | None:
    """When the first frame is shown; None without a key frame.

    Frames before the first key frame do not decode, and an edit list may hide the key frame itself.
    """
    timed = [frame for frame in coded if frame.pts is not None]
    key = next((frame.time for frame in timed if frame.key), None)
    return min(
        (f.time for f in timed if key is not None and f.time >= key and not f.hidden), default=None
    )


def walk(container: InputContainer, stream: VideoStream) -> list[CodedFrame]:
    """The stream's packets in decoding order; a read error is taken for the end of the file."""
    return [
        coded_frame(packet)
        for packet in _demux(container, stream)
        if packet.size  # none: the flush at the end, or "show the last frame again"
    ]


def without_tail(coded: Sequence[CodedFrame]) -> Sequence[CodedFrame]:
    """Leave out the packets at the end that the end of the file cuts off."""
    whole = max((place + 1 for place, frame in enumerate(coded) if not frame.cut), default=0)
    return coded[:whole]


def decode(
    container: InputContainer, stream: VideoStream
) -> Iterator[tuple[int | None, list[VideoFrame] | None]]:
    """Decode from where the container stands: the pts of each packet and what comes out after it.

    None in place of frames says that the packet is damaged. Frames come out in presentation order,
    later than their own packet.
    """
    flushed = False
    for packet in _demux(container, stream):
        flushed = packet.size == 0 and packet.dts is None
        if packet.is_corrupt:
            yield packet.pts, None
            continue
        try:
            frames = packet.decode()
        except av.FFmpegError:
            yield packet.pts, None
        else:
            yield packet.pts, frames
    if not flushed:
        yield None, list(stream.codec_context.decode(None))


def _demux(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    try:
        yield from container.demux(stream)
    except av.FFmpegError:
        return  # the readable part of the file ends here


def tell_frames(
    container: InputContainer, stream: VideoStream, coded: Sequence[CodedFrame]
) -> bool:
    """Whether the packets alone tell which frames come out of the decoder.

    So they do for the usual codecs in MP4, MOV, Matroska and WebM when each packet has a time of
    its own and nothing is shown before the first key frame.
    """
    times = [frame.pts for frame in coded]
    return (
        container.format.name in _INDEXED
        and stream.codec_context.name in _FRAME_PER_PACKET
        and bool(coded)
        and coded[0].key
        and None not in times
        and len(set(times)) == len(times)
        and all(frame.hidden or frame.time >= coded[0].time for frame in coded)
    )


def are_closed(coded: Sequence[CodedFrame]) -> bool:
    """Whether no frame is shown before the key frame behind which it is stored (closed GOPs)."""
    key = coded[0].time
    for frame in coded:
        key = frame.time if frame.key else key
        if frame.time < key:
            return False
    return True
