"""Four noises as formulas, far apart in a spectrogram, and which of them a clip lets hear when.

The pictures of a clip are those of the room with the same seed and number, and depend on nothing
that is heard.

Legend: `N` samples of mono sound at `RATE`. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lynx.demo.world.scene import stream

RATE = 16000
SECONDS = 8

Sound = NDArray[np.float64]
Rng = np.random.Generator

_SCORE_STREAM, _SOUND_STREAM = 8, 9


def _time(seconds: float) -> Sound:
    time: Sound = np.arange(round(seconds * RATE)) / RATE
    return time


def bell(seconds: float, rng: Rng) -> Sound:
    """Strokes of a clear tone in the middle of the scale that fades slowly."""
    time, every = _time(seconds), rng.uniform(0.5, 0.9)
    pitch = rng.uniform(900, 1200)
    tone: Sound = np.sin(2 * np.pi * pitch * time) + 0.3 * np.sin(2 * np.pi * 2.4 * pitch * time)
    return tone * np.exp(-(time % every) / 0.25)


def bird(seconds: float, rng: Rng) -> Sound:
    """High chirps that rise."""
    time, every = _time(seconds), rng.uniform(0.25, 0.4)
    since = time % every
    pitch = rng.uniform(4200, 4800) + 5000 * since
    chirp: Sound = np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    chirp[since > 0.6 * every] = 0.0
    return chirp


def engine(seconds: float, rng: Rng) -> Sound:
    """A low hum with many partials that trembles."""
    time, pitch = _time(seconds), rng.uniform(45, 70)
    hum: Sound = np.zeros_like(time)
    for number in range(1, 6):
        hum += np.sin(2 * np.pi * number * pitch * time) / number
    return hum * (1 + 0.3 * np.sin(2 * np.pi * 9 * time))


def rain(seconds: float, rng: Rng) -> Sound:
    """Even noise over the whole scale."""
    noise: Sound = rng.normal(size=len(_time(seconds)))
    return noise


NOISES: Mapping[str, Callable[[float, Rng], Sound]] = {
    "bell": bell,
    "bird": bird,
    "engine": engine,
    "rain": rain,
}


@dataclass(frozen=True)
class Hearing:
    """What a clip lets hear: one noise all the time, or two, one after the other."""

    seed: int
    index: int
    names: tuple[str, ...]

    def sound(self) -> NDArray[np.float32]:
        """All of it, mono (N,) in [-1, 1]."""
        parts = []
        for number, name in enumerate(self.names):
            rng = stream(self.seed, _SOUND_STREAM, self.index * 10 + number)
            part = NOISES[name](SECONDS / len(self.names), rng)
            parts.append(part / np.sqrt(np.mean(part**2)))
        mixed = np.concatenate(parts)
        scaled: NDArray[np.float32] = (0.9 * mixed / np.abs(mixed).max()).astype(np.float32)
        return scaled


def hear(seed: int, index: int) -> Hearing:
    """What is heard in a clip: one noise in the even clips, two in the odd ones."""
    rng = stream(seed, _SCORE_STREAM, index)
    names = tuple(str(name) for name in rng.permutation(sorted(NOISES))[: 1 + index % 2])
    return Hearing(seed, index, names)
