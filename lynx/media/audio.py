"""The sound of a media file as one mono track whose first sample belongs to the first video frame.

Legend: `C` channels, `N` samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import av
import numpy as np
from numpy.typing import NDArray

from lynx.errors import InputError
from lynx.media.container import AGAIN, main_video_stream, open_container, require_decoder
from lynx.media.video_packets import CodedFrame, coded_frame, first_shown

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

AudioState = Literal["absent", "empty", "silent", "sound"]
Float32 = NDArray[np.float32]

_WHAT = "an audio or video file"
_GAP = 0.05  # seconds; less is rounding of time stamps (1 ms in Matroska) and codec delay


@dataclass(frozen=True)
class AudioTrack:
    """Mono samples (N,), full scale 1, at the rate asked for, and what kind of track it is.

    `absent`: the file has no audio stream. `empty`: it has one, without a sample. `silent`: every
    sample is 0. `seconds` is N / rate.
    """

    state: AudioState
    samples: Float32
    seconds: float


@dataclass(frozen=True)
class _Piece:
    """Decoded samples (N,), and when they are heard in seconds of the file's clock."""

    start: float | None
    samples: Float32


def read_audio(path: Path, rate: int = 16000) -> AudioTrack:
    """Decode a file's first sound track to mono at `rate` Hz.

    Mono is the mean over channels (method section 2.5.1). Sample 0 is heard as the first video
    frame is shown: a track that starts later is padded with zeros, one that starts earlier is cut,
    and a gap inside becomes zeros. Encoder priming that the file declares is dropped by FFmpeg. A
    file without video starts with its first sample. Resampling is torchaudio's; of the
    ceil(N rate / source rate) samples that it gives, the nearest whole number is kept.

    A file without sound is no error, so that the caller can count it (method section 9.3, S1).

    Raises:
        InputError: missing, empty, corrupt, or a track that cannot be decoded.
    """
    with open_container(path, _WHAT) as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None:
            return _track("absent", np.zeros(0, np.float32), rate)
        require_decoder(path, stream, "AAC")
        try:
            pieces, source_rate, origin = _decode(path, container, stream)
        except av.FFmpegError as error:
            raise _damaged(path) from error
    samples = _join(pieces, source_rate, origin)
    if not len(samples):
        return _track("empty", samples, rate)
    state: AudioState = "sound" if samples.any() else "silent"
    return _track(state, _resample(samples, source_rate, rate), rate)


def _track(state: AudioState, samples: Float32, rate: int) -> AudioTrack:
    return AudioTrack(state, samples, len(samples) / rate)


def _decode(
    path: Path, container: InputContainer, stream: AudioStream
) -> tuple[list[_Piece], int, float | None]:
    """Mono pieces, their sample rate, and when the first video frame is shown (None: no video)."""
    video = main_video_stream(container)
    pieces: list[_Piece] = []
    rates: set[int] = set()
    coded: list[CodedFrame] = []
    cut_off = False
    for packet in container.demux([s for s in (stream, video) if s is not None]):
        if packet.stream is video:  # the flush at the end says so here only, not in its index
            coded.append(coded_frame(packet))
        elif packet.is_corrupt:
            cut_off = True  # the last packet of a file that ends too early
        elif cut_off and packet.size:
            raise _damaged(path)
        else:
            for frame in stream.decode(packet):
                rates.add(frame.sample_rate)
                pieces.append(_Piece(frame.time, _mono(path, frame)))
    if len(rates) > 1:
        found = " and ".join(str(rate) for rate in sorted(rates))
        raise InputError(
            f"{path}: found sound at {found} Hz, expected one sample rate; convert the file to one"
        )
    origin = first_shown(coded)
    unit = None if video is None else video.time_base
    at = None if unit is None or origin is None else float(origin * unit)
    return pieces, rates.pop() if rates else 0, at


def _mono(path: Path, frame: AudioFrame) -> Float32:
    """Mean over channels (N,) of a frame in any sample format, full scale 1."""
    if frame.is_corrupt:
        raise _damaged(path)
    data: NDArray[Any] = frame.to_ndarray()  # planar (C, N); packed (1, N C)
    if not frame.format.is_planar:
        data = data.reshape(-1, frame.layout.nb_channels).T
    if data.dtype == np.uint8:
        samples = (data.astype(np.float64) - 128) / 128
    elif np.issubdtype(data.dtype, np.integer):
        samples = data / -float(np.iinfo(data.dtype).min)
    else:
        samples = data.astype(np.float64)
    mean: Float32 = samples.mean(axis=0).astype(np.float32)
    return mean


def _join(pieces: Sequence[_Piece], rate: int, origin: float | None) -> Float32:
    """One track (N,) from `origin` on, or from the first piece on."""
    parts: list[Float32] = []
    length = 0
    start = origin
    for piece in pieces:
        if start is None:
            start = piece.start or 0.0
        at = length if piece.start is None else round((piece.start - start) * rate)
        samples = piece.samples
        if length == 0 and at < 0:
            samples = samples[-at:]
        elif at > length and (length == 0 or at - length > _GAP * rate):
            parts.append(np.zeros(at - length, np.float32))
            length = at
        parts.append(samples)
        length += len(samples)
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _resample(samples: Float32, source: int, rate: int) -> Float32:
    if source == rate:
        return samples
    # Imported here because only this step needs torch, which the data path does without.
    import torch
    from torchaudio.functional import resample

    length = (2 * len(samples) * rate + source) // (2 * source)
    resampled: Float32 = resample(torch.from_numpy(samples), source, rate).numpy()
    return resampled[:length]


def _damaged(path: Path) -> InputError:
    return InputError(
        f"{path}: found sound that does not decode, expected a whole audio track; {AGAIN}"
    )
