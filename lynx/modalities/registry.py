"""What a modality is, and the modalities by name.

Legend: `F` time steps of a clip, `K` pseudo-frames drawn per step, `H` x `W` pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lynx.errors import InputError


@dataclass(frozen=True)
class Modality:
    """How one X is drawn as pseudo-frames that the vision tower can read.

    `draw(clip, settings)` returns pixels (F * K, H, W, 3) in the range 0 to 255, the K
    pseudo-frames of a time step one after the other; uint8, or float32 where drawing averages
    pixels (tiled fast frames). `clip` is the modality's own dataclass of raw arrays (depth maps
    with their cameras, a waveform with frame times, frames of another view), `settings` the
    recipe's section for it. `frames_per_step(settings)` is K: the token maps of K pseudo-frames
    in a row belong to one time step.
    """

    name: str
    draw: Callable[[Any, Any], NDArray[np.uint8] | NDArray[np.float32]]
    frames_per_step: Callable[[Any], int]


_MODALITIES: dict[str, Modality] = {}


def register(modality: Modality) -> None:
    """Add a modality under its name.

    Raises:
        ValueError: the name is taken.
    """
    if modality.name in _MODALITIES:
        raise ValueError(f"modality {modality.name!r} is already registered; names are unique")
    _MODALITIES[modality.name] = modality


def get_modality(name: str) -> Modality:
    """Look a modality up by its exact name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in _MODALITIES:
        raise InputError(
            f"modality: found {name!r}, expected one of {', '.join(modality_names())}; correct the "
            "benchmark's configuration"
        )
    return _MODALITIES[name]


def modality_names() -> tuple[str, ...]:
    """Registered names in alphabetical order."""
    return tuple(sorted(_MODALITIES))
