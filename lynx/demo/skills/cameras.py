"""What the second camera sees of a take: a person before a wall.

Legend: `F` frames, `H` x `W` pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lynx.benchmarks.egoexo_takes import CLASSES
from lynx.demo.film import FRAME_SIZE
from lynx.demo.skills.take import SkillTake
from lynx.demo.world.palette import CEILING, COLOURS, PALETTE
from lynx.demo.world.scene import stream

_CAMERA_STREAM = 17
PERSON = (18, 20)  # width, height in pixels


def film_person(take: SkillTake, frames: int) -> NDArray[np.uint8]:
    """The person on a wall (F, H, W, 3): a climber as high as the skill is, a dancer below.

    The person's clothes and the place along the wall tell nothing.
    """
    rng = stream(take.scene.seed, _CAMERA_STREAM, take.scene.index)
    clothes = PALETTE[COLOURS[int(rng.integers(len(COLOURS)))]]
    left = rng.uniform(0.15, 0.7)
    pictures = np.empty((frames, FRAME_SIZE[1], FRAME_SIZE[0], 3), dtype=np.uint8)
    for number, moved in enumerate(rng.uniform(-1, 1, size=(frames, 2))):
        pictures[number] = CEILING
        _paint(pictures[number], clothes, left + 0.12 * moved[0], _height(take) + 0.02 * moved[1])
    return pictures


def _height(take: SkillTake) -> float:
    """How high the person is, as a share of the wall that is free above them."""
    return (take.level + 0.5) / len(CLASSES) if take.scenario == "Rock Climbing" else 0.05


def _paint(picture: NDArray[np.uint8], colour: tuple[int, int, int], x: float, y: float) -> None:
    width, height = PERSON
    left = round(x * (picture.shape[1] - width))
    top = round((1 - y) * (picture.shape[0] - height))
    picture[top : top + height, left : left + width] = colour
