"""Light that flashes for less time than lies between two frames of the ordinary video.

Legend: `F` frames of a film, numbered from 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from lynx.demo.world.scene import stream

FRAMES = 64
SECONDS = 8
FLASH_COLOURS = ("blue", "green", "red", "yellow")
FLASH_FRAMES = 12
"""Frames that a flash lasts: more than lie between dense frames (16 of them), so that some of these
show it; fewer than between slow ones (4 of them)."""

_EVENT_STREAM = 13
# Frames at which a flash may begin, between the slow frames 0, 21, 42 and 63.
_STARTS = (range(3, 9), range(24, 30), range(45, 51))


@dataclass(frozen=True)
class Flash:
    """Coloured light from frame `start` on, for `FLASH_FRAMES` frames."""

    colour: str
    start: int

    def lights(self, frame: int) -> bool:
        """Whether it is seen in a frame."""
        return self.start <= frame < self.start + FLASH_FRAMES


def flashes(seed: int, index: int) -> tuple[Flash, ...]:
    """The flashes of a clip, in time order: one in the even clips, two in the odd ones."""
    rng = stream(seed, _EVENT_STREAM, index)
    gaps = sorted(int(gap) for gap in rng.permutation(len(_STARTS))[: 1 + index % 2])
    colours = rng.permutation(len(FLASH_COLOURS))
    return tuple(
        Flash(FLASH_COLOURS[int(colour)], int(rng.choice(_STARTS[gap])))
        for gap, colour in zip(gaps, colours, strict=False)
    )
