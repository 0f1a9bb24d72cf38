"""Films of rooms in which light flashes.

Legend: `F` frames, `H` x `W` pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lynx.demo.events.happening import FRAMES, Flash
from lynx.demo.film import film_room
from lynx.demo.world.palette import PALETTE
from lynx.demo.world.scene import Scene


def film_flashes(scene: Scene, views: int, seen: Sequence[Flash]) -> NDArray[np.uint8]:
    """A sweep (F, H, W, 3) of `views` different pictures, each shown several times, with flashes.

    Raises:
        ValueError: the film has no such share of frames for each view.
    """
    if FRAMES % views:
        raise ValueError(f"{views} views; expected a number that divides {FRAMES} frames")
    frames = np.repeat(film_room(scene, views), FRAMES // views, axis=0)
    for flash in seen:
        lit = [frame for frame in range(FRAMES) if flash.lights(frame)]
        frames[lit] = PALETTE[flash.colour]  # it dazzles the camera
    return frames
