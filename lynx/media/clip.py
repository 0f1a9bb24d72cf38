"""A clip as the stages see it: time steps that can be chosen, and the ordinary video of them.

Legend: `F` chosen time steps, `H` x `W` stored size. A place is the number of a time step among
those that a clip has, from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from lynx.media.frame_sampling import Sampling, select_frames
from lynx.media.posed_rgbd import RgbdScene

Item = TypeVar("Item")


class Clip(Protocol):
    """What any X is drawn beside: a recording with its ordinary video."""

    @property
    def name(self) -> str:
        """Clip id."""

    def choose(self, steps: int, sampling: Sampling) -> tuple[int, ...]:
        """Places of the `steps` time steps that the language model is shown."""

    def items(self, steps: int) -> list[tuple[int, ...]]:
        """Places of the training items of stages 1 and 2, `steps` time steps each."""

    def color(self, places: Sequence[int]) -> NDArray[np.uint8]:
        """The RGB frames at these places (F, H, W, 3)."""


@dataclass(frozen=True)
class RgbdClip:
    """A posed RGB-D scene: every frame of it is a time step."""

    scene: RgbdScene

    @property
    def name(self) -> str:
        """Scene id."""
        return self.scene.name

    def choose(self, steps: int, sampling: Sampling) -> tuple[int, ...]:
        """Spread over camera poses or evenly; see `select_frames`."""
        place = {frame.number: index for index, frame in enumerate(self.scene.frames)}
        chosen = select_frames(self.scene.frames, steps, sampling, self.name)
        return tuple(place[frame.number] for frame in chosen)

    def items(self, steps: int) -> list[tuple[int, ...]]:
        """Consecutive chunks of all frames, the last one filled up (method sections 3 and 4.2)."""
        return [tuple(part) for part in chunks(range(len(self.scene.frames)), steps)]

    def color(self, places: Sequence[int]) -> NDArray[np.uint8]:
        """The colour frames at these places (F, H, W, 3)."""
        return np.stack([self.scene.frames[place].color() for place in places])


def chunks(items: Sequence[Item], size: int) -> list[list[Item]]:
    """Consecutive chunks of `size`; the last one is filled up by repeating its last item."""
    cut = [list(items[start : start + size]) for start in range(0, len(items), size)]
    return [part + [part[-1]] * (size - len(part)) for part in cut]
