"""Whether this machine really decodes: a tiny film with sound is written, read back and compared.

Legend: `F` frames, `H` x `W` pixels, `N` samples of sound.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lynx.demo.film import write_film
from lynx.errors import InputError
from lynx.media.audio import read_audio
from lynx.media.video_decord import read_with_decord
from lynx.media.video_index import index_video
from lynx.media.video_pyav import read_with_pyav

FRAMES, SIDE, FRAME_RATE = 10, 64, 10
SOUND_RATE, READ_RATE = 44100, 16000  # Hz; the second is what the audio modality asks for
TONE = 1000.0  # Hz
GREY_TOLERANCE = 8.0  # of 255; H.264 loses a little


def write_probe(path: Path) -> None:
    """A second of film: grey that brightens from frame to frame, under a steady tone."""
    frames = np.empty((FRAMES, SIDE, SIDE, 3), np.uint8)
    frames[:] = _greys()[:, None, None, None]
    times = np.arange(SOUND_RATE) / SOUND_RATE
    tone = (0.5 * np.sin(2 * np.pi * TONE * times)).astype(np.float32)
    write_film(path, frames, Fraction(FRAME_RATE), tone, SOUND_RATE)


def read_video(path: Path) -> str:
    """Decode every frame of the probe with PyAV, then with decord; says who read them.

    Raises InputError if PyAV, which reads all that decord does not, gives other pictures.
    """
    index, numbers = index_video(path), list(range(FRAMES))
    _compare(path, read_with_pyav(index, numbers))
    decoded = read_with_decord(index, numbers)
    if decoded is None:
        return "PyAV reads H.264; decord does not, so PyAV does its work"
    _compare(path, decoded)
    return "decord and PyAV read H.264"


def read_sound(path: Path) -> str:
    """Decode the probe's AAC track, resampled; says what was done.

    Raises InputError if it is not the tone that was written.
    """
    track = read_audio(path, READ_RATE)
    spectrum = np.abs(np.fft.rfft(track.samples))
    found = float(spectrum.argmax() / track.seconds) if spectrum.any() else 0.0
    if abs(found - TONE) > TONE / 50:
        raise InputError(
            f"{path.name}: found a tone of {found:.0f} Hz ({track.state}), expected {TONE:.0f} Hz; "
            "reinstall av and torchaudio"
        )
    return f"AAC read, {SOUND_RATE} Hz resampled to {READ_RATE}"


def _greys() -> NDArray[np.uint8]:
    return np.linspace(40, 220, FRAMES).astype(np.uint8)


def _compare(path: Path, frames: NDArray[np.uint8]) -> None:
    """Frames (F, H, W, 3) against what was written."""
    off = np.abs(frames.reshape(FRAMES, -1).mean(axis=1) - _greys())
    if off.max() > GREY_TOLERANCE:
        raise InputError(
            f"{path.name}: found frame {off.argmax()} {off.max():.0f} grey levels off, expected at "
            f"most {GREY_TOLERANCE:.0f}; reinstall av and decord"
        )
