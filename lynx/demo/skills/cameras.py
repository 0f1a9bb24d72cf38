"""What the second camera sees of a take: a person before a wall, on which a climber has a route.

Legend: `F` frames, `H` x `W` pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lynx.demo.film import FRAME_SIZE
from lynx.demo.skills.take import LEVEL_COLOURS, SkillTake
from lynx.demo.world.palette import CEILING, DOOR, PALETTE
from lynx.demo.world.scene import stream

_CAMERA_STREAM = 17
HOLDS = 14
HOLD, PERSON = (20, 14), (12, 24)  # width, height in pixels

Colour = tuple[int, int, int]


def film_person(take: SkillTake, frames: int) -> NDArray[np.uint8]:
    """The person before the wall (F, H, W, 3); a climber's holds have the colour of the level.

    Where the holds are and how the person moves tells nothing.
    """
    rng = stream(take.scene.seed, _CAMERA_STREAM, take.scene.index)
    wall = np.empty((FRAME_SIZE[1], FRAME_SIZE[0], 3), dtype=np.uint8)
    wall[:] = CEILING
    if take.scenario == "Rock Climbing":
        for x, y in rng.uniform(size=(HOLDS, 2)):
            _paint(wall, PALETTE[LEVEL_COLOURS[take.level]], HOLD, x, y)
    pictures = np.repeat(wall[None], frames, axis=0)
    for picture, (x, y) in zip(pictures, rng.uniform(size=(frames, 2)), strict=True):
        _paint(picture, DOOR, PERSON, x, y if take.scenario == "Rock Climbing" else 0.0)
    return pictures


def _paint(
    picture: NDArray[np.uint8], colour: Colour, size: tuple[int, int], x: float, y: float
) -> None:
    """A rectangle at a share of the free width, and of the free height from below."""
    width, height = size
    left = round(x * (picture.shape[1] - width))
    top = round((1 - y) * (picture.shape[0] - height))
    picture[top : top + height, left : left + width] = colour
