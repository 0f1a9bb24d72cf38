"""Opening an encoded media file, with every fault named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.stream import Disposition

from lynx.errors import InputError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

AGAIN = "copy or download it again"


@contextmanager
def open_container(path: Path, what: str) -> Iterator[InputContainer]:
    """Open a file for demuxing; `what` names in an error what was expected.

    Only local files are read: a playlist inside the file cannot reach the network.

    Raises:
        InputError: missing, empty, or no container that FFmpeg knows.
    """
    if not path.is_file():
        raise InputError(f"{path}: not found, expected {what}; copy it there or correct the path")
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{path}: found 0 bytes, expected {what}; {AGAIN}")
    try:
        # An absolute path cannot be taken for a protocol; titles may hold bytes that are no UTF-8.
        container = av.open(
            str(path.absolute()),
            metadata_errors="ignore",
            options={"protocol_whitelist": "file"},
        )
    except av.FFmpegError as error:
        raise InputError(
            f"{path}: found {size} bytes that do not open as media, expected {what}; {AGAIN}"
        ) from error
    with container:
        yield container


def main_video_stream(container: InputContainer) -> VideoStream | None:
    """The video that a player shows: FFmpeg's best stream, cover pictures left out."""
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    best = container.streams.best("video")
    return next((stream for stream in moving if stream is best), moving[0] if moving else None)


def require_decoder(path: Path, stream: AudioStream | VideoStream, usual: str) -> None:
    """Refuse a stream whose codec FFmpeg does not know; `usual` names one that it does.

    Raises:
        InputError: there is no decoder.
    """
    # PyAV's type says that a codec context is always there; it is None without a decoder.
    if getattr(stream, "codec_context", None) is None:
        raise InputError(
            f"{path}: found {stream.type} in a codec that FFmpeg cannot decode, expected one like "
            f"{usual}; convert the file to {usual}"
        )
