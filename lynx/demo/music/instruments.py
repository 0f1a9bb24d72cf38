"""Six instruments as formulas. Each leaves a mark of its own in a spectrogram.

Legend: `N` samples of mono sound at `RATE`. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

RATE = 16000
Sound = NDArray[np.float64]
Rng = np.random.Generator

_BEAT = 0.5


def _time(seconds: float) -> Sound:
    time: Sound = np.arange(round(seconds * RATE)) / RATE
    return time


def _harmonics(time: Sound, pitch: Sound, weights: Sound) -> Sound:
    """A tone whose n-th partial has weight n; partials above half the rate are left out."""
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    tone = np.zeros_like(time)
    for number, weight in enumerate(weights, start=1):
        if number * pitch.max() < RATE / 2:
            tone += weight * np.sin(number * phase)
    return tone


def _notes(time: Sound, rng: Rng, low: float, high: float) -> Sound:
    """A pitch (N,) in Hz that changes at each beat."""
    beats = np.floor(time / _BEAT).astype(int)
    pitches: Sound = np.exp(rng.uniform(np.log(low), np.log(high), beats.max() + 1))
    by_sample: Sound = pitches[beats]
    return by_sample


def _struck(time: Sound, every: float, decay: float) -> Sound:
    """An envelope that jumps to 1 at each stroke and fades."""
    envelope: Sound = np.exp(-(time % every) / decay)
    return envelope


def flute(seconds: float, rng: Rng) -> Sound:
    """High, nearly pure tones with a slow waver."""
    time = _time(seconds)
    pitch = _notes(time, rng, 1400, 2200) * (1 + 0.01 * np.sin(2 * np.pi * 5 * time))
    return _harmonics(time, pitch, np.array([1.0, 0.1]))


def tuba(seconds: float, rng: Rng) -> Sound:
    """Low tones with a few partials."""
    time = _time(seconds)
    return _harmonics(time, _notes(time, rng, 60, 110), 1 / np.arange(1, 5))


def violin(seconds: float, rng: Rng) -> Sound:
    """Middle tones with many partials and a fast waver."""
    time = _time(seconds)
    pitch = _notes(time, rng, 400, 640) * (1 + 0.02 * np.sin(2 * np.pi * 7 * time))
    return _harmonics(time, pitch, 1 / np.arange(1, 16))


def xylophone(seconds: float, rng: Rng) -> Sound:
    """Short strokes of high tones."""
    time = _time(seconds)
    tone = _harmonics(time, _notes(time, rng, 900, 1300), np.array([1.0, 0.0, 0.6]))
    return tone * _struck(time, _BEAT / 2, 0.05)


def drum(seconds: float, rng: Rng) -> Sound:
    """Bursts of noise at each beat."""
    time = _time(seconds)
    noise: Sound = rng.normal(size=len(time))
    return noise * _struck(time, _BEAT, 0.06)


def trumpet(seconds: float, rng: Rng) -> Sound:
    """Bright tones that start anew at each beat."""
    time = _time(seconds)
    weights = np.array([0.4, 0.8, 1.0, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    tone = _harmonics(time, _notes(time, rng, 250, 380), weights)
    tone[time % _BEAT > 0.8 * _BEAT] = 0.0
    return tone


INSTRUMENTS: Mapping[str, Callable[[float, Rng], Sound]] = {
    "drum": drum,
    "flute": flute,
    "trumpet": trumpet,
    "tuba": tuba,
    "violin": violin,
    "xylophone": xylophone,
}


def play(name: str, seconds: float, rng: Rng) -> Sound:
    """An instrument for some seconds (N,), of unit mean square."""
    sound = INSTRUMENTS[name](seconds, rng)
    loud: Sound = sound / np.sqrt(np.mean(sound**2))
    return loud
