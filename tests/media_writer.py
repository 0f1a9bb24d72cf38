"""Encoded media for tests: frames that carry their number, sound with a click at a known time."""

from __future__ import annotations

import wave
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

TICKS = 512  # of 1/12800 s: 25 frames a second
BASE = Fraction(1, 12800)
CLOSED = {"x264-params": "keyint=10:min-keyint=10:scenecut=0:bframes=2:b-adapt=0"}
OPEN = {"x264-params": CLOSED["x264-params"].replace("s=2", "s=3") + ":open-gop=1"}


def picture(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """Eight blocks, four in a row, dark or bright as the bits of `number`."""
    image = np.zeros((height, width, 3), np.uint8)
    for bit in range(8):
        row, column = divmod(bit, 4)
        rows = slice(row * height // 2, (row + 1) * height // 2)
        columns = slice(column * width // 4, (column + 1) * width // 4)
        image[rows, columns] = 230 if number >> bit & 1 else 25
    return image


def number_of(image: np.ndarray) -> int:
    """Read `picture` back."""
    height, width = image.shape[:2]
    number = 0
    for bit in range(8):
        row, column = divmod(bit, 4)
        rows = slice(row * height // 2 + 4, (row + 1) * height // 2 - 4)
        columns = slice(column * width // 4 + 4, (column + 1) * width // 4 - 4)
        number |= int(image[rows, columns].mean() > 128) << bit
    return number


def write_video(
    path: Path,
    frames: int = 40,
    *,
    size: tuple[int, int] = (64, 48),
    pixels: str = "yuv420p",
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    times: Sequence[int] | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    draw: Callable[[int, int, int], np.ndarray] = picture,
) -> None:
    """Encode `frames` pictures; `times` in ticks of 1/12800 s, 25 frames a second by default."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = (*size, pixels)
        base = Fraction(1, 25) if codec == "mpeg4" else BASE
        stream.codec_context.time_base = base
        stream.options = CLOSED if options is None else options
        if rotation or mirrored:
            stream.set_display_rotation(rotation, mirrored)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(draw(number, *size), format="rgb24")
            ticks = TICKS * number if times is None else times[number]
            frame.pts, frame.time_base = round(ticks * BASE / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def remux(
    source: Path, target: Path, *, shift: int = 0, skip: int = 0, options: dict[str, str] | None
) -> None:
    """Copy the packets, `skip` of them left out, `shift` ticks later.

    A negative shift with avoid_negative_ts=disabled makes an MP4 whose edit list hides frames.
    """
    with av.open(str(source)) as old, av.open(str(target), "w", options=options or {}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for place, packet in enumerate(old.demux(video=0)):
            if packet.dts is not None and place >= skip:
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = stream
                new.mux(packet)


def packets(path: Path) -> list[tuple[int, int, int]]:
    """(byte offset, size, number of the frame at 25 a second) of each video packet."""
    with av.open(str(path)) as container:
        unit = container.streams.video[0].time_base
        return [
            (packet.pos, packet.size, round(packet.pts * unit * 25))
            for packet in container.demux(video=0)
            if packet.size
        ]


def spoil(path: Path, start: int, end: int) -> None:
    """Overwrite bytes [start, end) with noise."""
    data = bytearray(path.read_bytes())
    data[start:end] = np.random.default_rng(0).bytes(end - start)
    path.write_bytes(data)


def click(seconds: float, at: float, rate: int, channels: int) -> np.ndarray:
    """Silence (C, N) float32 with 8 loud samples from `at` seconds on."""
    sound = np.zeros((channels, round(seconds * rate)), np.float32)
    sound[:, round(at * rate) : round(at * rate) + 8] = 0.9
    return sound


def write_film(
    path: Path,
    sound: np.ndarray,
    rate: int,
    *,
    codec: str = "aac",
    video_at: float | None = 0.0,
    audio_at: float = 0.0,
    dropped: range = range(0),
) -> None:
    """Sound (C, N) beside pictures that start at `video_at` seconds (None: no video).

    `dropped` leaves out audio packets by number.
    """
    with av.open(str(path), "w") as container:
        audio = container.add_stream(codec, rate=rate, layout=("mono", "stereo")[len(sound) - 1])
        if video_at is not None:
            _mux_pictures(container, video_at, sound.shape[1] / rate)
        number = 0
        for start in [*range(0, sound.shape[1], 1024), None]:
            frame = None if start is None else _audio_frame(audio, sound[:, start : start + 1024])
            if frame is not None:
                frame.pts, frame.time_base = start + round(audio_at * rate), Fraction(1, rate)
            for packet in audio.encode(frame):
                if number not in dropped:
                    container.mux(packet)
                number += 1


def _mux_pictures(container: av.container.OutputContainer, at: float, seconds: float) -> None:
    video = container.add_stream("libx264", rate=25)
    video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
    video.codec_context.time_base = BASE
    for number in range(int(seconds * 25)):
        frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
        frame.pts, frame.time_base = round(at / BASE) + TICKS * number, BASE
        container.mux(video.encode(frame))
    container.mux(video.encode())


def _audio_frame(stream: av.AudioStream, samples: np.ndarray) -> av.AudioFrame:
    sample_format = stream.codec_context.format
    data = samples if sample_format.is_planar else samples.T.reshape(1, -1)
    kind = {"s16": np.int16, "s32": np.int32, "dbl": np.float64}.get(sample_format.name.rstrip("p"))
    if kind is not None:
        full = np.iinfo(kind).max if np.issubdtype(kind, np.integer) else 1.0
        data = (data.astype(np.float64) * full).astype(kind)
    layout = stream.codec_context.layout.name
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(data), format=sample_format.name, layout=layout
    )
    frame.sample_rate = stream.codec_context.sample_rate
    return frame


def write_wav(path: Path, samples: np.ndarray, rate: int) -> None:
    """Write integer samples (N, C) of 8 (unsigned), 16 or 32 bits."""
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(samples.shape[1])
        stream.setsampwidth(samples.dtype.itemsize)
        stream.setframerate(rate)
        stream.writeframes(samples.tobytes())
