"""What a modality is, and the modalities by name.

Legend: `F` time steps of a clip, `K` pseudo-frames, `H` x `W` pixels, `P` side of the tower's
images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lynx.config.drawing import Drawing, register_drawing
from lynx.errors import InputError

Draw = Callable[[Any, Sequence[int], Any], NDArray[np.uint8]]
Compose = Callable[[NDArray[np.float32], Any], NDArray[np.float32]]


@dataclass(frozen=True)
class Modality:
    """How one X is drawn as pseudo-frames that the vision tower can read.

    `settings` is the model of a recipe's `drawing` section for it; it tells the number K of
    pseudo-frames that F time steps become. `draw(clip, places, settings)` returns uint8 pixels
    (K, H, W, 3). `clip` is an open clip of the media that the modality is about (`lynx.media`),
    `places` the F time steps at which the ordinary video is shown. `compose(frames, settings)`,
    where given, joins drawn frames that the processor has brought to the tower's size: (N, P, P, 3)
    float32 to (K, P, P, 3).
    """

    name: str
    settings: type[Drawing]
    draw: Draw
    compose: Compose | None = None


_MODALITIES: dict[str, Modality] = {}


def register(modality: Modality) -> None:
    """Add a modality under its name.

    Raises:
        ValueError: the name is taken.
    """
    if modality.name in _MODALITIES:
        raise ValueError(f"modality {modality.name!r} is already registered; names are unique")
    register_drawing(modality.name, modality.settings)
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
