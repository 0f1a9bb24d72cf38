"""Rooms on film, with sound or without: H.264 and AAC in mp4, as the real sets have it.

Legend: `F` frames, `H` x `W` pixels, `N` samples of sound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from numpy.typing import NDArray

from lynx.demo.world import render_frame, scene_cameras
from lynx.demo.world.scene import Scene
from lynx.processes import in_processes

Item = TypeVar("Item")

MACROBLOCK = 16
FRAME_SIZE = (128, 96)  # width, height; colours are stored at half of it
AUDIO_FRAME = 1024  # samples; AAC's own
QUALITY = {"crf": "18", "preset": "veryfast", "threads": "1"}


def film_room(scene: Scene, frames: int) -> NDArray[np.uint8]:
    """A camera's sweep over a room (F, H, W, 3)."""
    cameras = scene_cameras(scene, frames)
    return np.stack([render_frame(scene, camera, *FRAME_SIZE).color for camera in cameras])


def film_room_with_sound(
    path: Path, scene: Scene, frames: int, sound: NDArray[np.float32], sound_rate: int
) -> None:
    """Write a sweep of `frames` frames over a room that lasts as long as its sound (N,)."""
    rate = Fraction(frames * sound_rate, len(sound))
    write_film(path, film_room(scene, frames), rate, sound, sound_rate)


def film_all(write: Callable[[Item], None], items: Sequence[Item], workers: int, unit: str) -> None:
    """Write the film or scene of each item in `workers` processes, with a progress bar."""
    for _ in in_processes(write, items, workers, desc=f"rendering {unit}s", unit=unit):
        pass


def write_film(
    path: Path,
    frames: NDArray[np.uint8],
    rate: Fraction,
    sound: NDArray[np.float32] | None = None,
    sound_rate: int = 16000,
) -> None:
    """Encode frames (F, H, W, 3) at `rate` a second and mono sound (N,) in [-1, 1], or no track.

    Raises:
        ValueError: height or width is no multiple of a macroblock: the encoder would fill the last
            ones from memory that was never written, and the file's bytes would differ by chance.
    """
    if any(side % MACROBLOCK for side in frames.shape[1:3]):
        raise ValueError(f"frames {frames.shape}; expected sides that {MACROBLOCK} divides")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=rate, options=QUALITY)
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        audio = None
        if sound is not None:
            audio = container.add_stream("aac", rate=sound_rate, layout="mono")
        for picture in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        if audio is not None and sound is not None:
            for start in range(0, len(sound), AUDIO_FRAME):
                part = np.ascontiguousarray(sound[None, start : start + AUDIO_FRAME])
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = sound_rate, start
                frame.time_base = Fraction(1, sound_rate)
                container.mux(audio.encode(frame))
            container.mux(audio.encode())
