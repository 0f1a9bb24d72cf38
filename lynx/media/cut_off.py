"""Whether a media file ends before the packets that it lists: a download that stopped, a full disk.

How many frames a header promises is not believed, because edit lists hide some and headers lie.
Where the packets lie is: the tables of MP4, MOV and AVI give the place and size of each, the top of
Matroska and WebM the length of what follows. Other containers list nothing.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import av

from lynx.errors import InputError
from lynx.media.container import AGAIN, main_video_stream, open_container
from lynx.media.video import VideoInfo
from lynx.media.video_index import WHAT

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

_TABLED = ("mov,mp4,m4a,3gp,3g2,mj2", "avi")
_MATROSKA = "matroska,webm"
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def require_whole(path: Path, info: VideoInfo, heard: bool) -> None:
    """Refuse a file that ends before the last of its frames or, if it is `heard`, of its sound.

    Raises:
        InputError: it does; the sentence gives both lengths and the frames that are left.
    """
    size = path.stat().st_size
    with open_container(path, WHAT) as container:
        if container.format.name == _MATROSKA:
            end = _segment_end(path)
        elif container.format.name in _TABLED:
            end = _listed_end(container, _missed(container, info, heard))
        else:
            return
    if end > size:
        raise InputError(
            f"{path}: found {size} bytes that end after {info.frames} frames, expected {end} bytes "
            f"because the file lists packets up to there; {AGAIN}"
        )


def _missed(container: InputContainer, info: VideoInfo, heard: bool) -> list[Stream]:
    """The streams that a cut would take something from."""
    video, sound = main_video_stream(container), next(iter(container.streams.audio), None)
    fewer = info.declared is None or info.frames < info.declared
    wanted = (video if fewer else None, sound if heard else None)
    return [stream for stream in wanted if stream is not None]


def _listed_end(container: InputContainer, streams: list[Stream]) -> int:
    """Where the last packet ends that the tables list of these streams; 0 where they list none.

    The tables of a file in fragments come to light as it is read.
    """
    if not streams:
        return 0
    with suppress(av.FFmpegError):  # the readable part of the file ends there
        deque(container.demux(*streams), maxlen=0)
    entries = [entry for stream in streams for entry in stream.index_entries]
    return max((entry.pos + entry.size for entry in entries), default=0)


def _segment_end(path: Path) -> int:
    """Where the segment of a Matroska file ends, by the length in front of it; 0 if none is given.

    Two elements stand at the top, each an identifier, a length of 1 to 8 bytes, and content: the
    EBML header and the segment, whose length is unknown in a recording that went on.
    """
    end = 0
    with path.open("rb") as stream:
        for name in (_EBML, _SEGMENT):
            stream.seek(end)
            if stream.read(4) != name or not (first := stream.read(1)) or not first[0]:
                return 0
            more = 8 - first[0].bit_length()
            unknown = (1 << 7 * (more + 1)) - 1
            length = int.from_bytes(first + stream.read(more)) & unknown
            if length == unknown:
                return 0
            end = stream.tell() + length
    return end
