"""Who plays when: what a clip of the music world sounds like, drawn from a seed and its number.

The pictures are those of the room with the same seed and number, and depend on nothing that is
heard.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lynx.demo.music.instruments import INSTRUMENTS, RATE, play
from lynx.demo.world.scene import stream

SECONDS = 8
LOUD, SOFT = 1.0, 0.25
_SOUND_STREAM, _SCORE_STREAM = 5, 6


@dataclass(frozen=True)
class Part:
    """One instrument: from `start` to `end` seconds, at a loudness."""

    name: str
    start: float
    end: float
    loudness: float


@dataclass(frozen=True)
class Performance:
    """The parts of a clip, in the order in which they come in."""

    seed: int
    index: int
    parts: tuple[Part, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The instruments that are heard."""
        return tuple(part.name for part in self.parts)

    @property
    def in_turn(self) -> bool:
        """Whether one plays after the other."""
        return self.parts[0].end < SECONDS

    def sound(self) -> NDArray[np.float32]:
        """All of it, mono (N,) in [-1, 1]."""
        mixed = np.zeros(round(SECONDS * RATE))
        for number, part in enumerate(self.parts):
            rng = stream(self.seed, _SOUND_STREAM, self.index * 10 + number)
            first = round(part.start * RATE)
            tone = part.loudness * play(part.name, part.end - part.start, rng)
            mixed[first : first + len(tone)] += tone
        scaled: NDArray[np.float32] = (0.9 * mixed / np.abs(mixed).max()).astype(np.float32)
        return scaled


def perform(seed: int, index: int) -> Performance:
    """The performance of a clip: in half of the clips one instrument, else two, in turn or at once.

    Of two at once the first named is the louder one.
    """
    rng = stream(seed, _SCORE_STREAM, index)
    names = [str(name) for name in rng.permutation(sorted(INSTRUMENTS))[:2]]
    whole, half = (0.0, float(SECONDS)), SECONDS / 2
    if index % 4 < 2:
        spans = [(*whole, LOUD)]
    elif index % 4 == 2:
        spans = [(0.0, half, LOUD), (half, SECONDS, LOUD)]
    else:
        spans = [(*whole, LOUD), (*whole, SOFT)]
    parts = tuple(Part(name, *span) for name, span in zip(names, spans, strict=False))
    return Performance(seed, index, parts)
