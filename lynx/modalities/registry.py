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

from lynx.config.drawing import Drawing
from lynx.registry import Registry

Draw = Callable[[Any, Sequence[int], Any], NDArray[np.uint8]]
Sees = Callable[[Any, Sequence[int], Any], Sequence[int]]
Compose = Callable[[NDArray[np.float32], Any], NDArray[np.float32]]


@dataclass(frozen=True)
class Modality:
    """How one X is drawn as pseudo-frames that the vision tower can read.

    `settings` is the model of a recipe's `drawing` section for it; it tells the number K of
    pseudo-frames that F time steps become. `draw(clip, places, settings)` returns uint8 pixels
    (K, H, W, 3). `clip` is an open clip of the media that the modality is about (`lynx.media`),
    `places` the F time steps at which the ordinary video is shown. `compose(frames, settings)`,
    where given, joins drawn frames that the processor has brought to the tower's size: (N, P, P, 3)
    float32 to (K, P, P, 3). `sees(clip, places, settings)`, where given, are the places of the
    ordinary video that X is drawn from, so that both can be decoded in one pass.
    """

    name: str
    settings: type[Drawing]
    draw: Draw
    compose: Compose | None = None
    sees: Sees | None = None


_MODALITIES = Registry[Modality]("modality", "correct the benchmark's configuration")


def register(modality: Modality) -> None:
    """Add a modality under its name; ValueError if it is taken."""
    _MODALITIES.register(modality.name, modality)


def get_modality(name: str) -> Modality:
    """Look a modality up by its exact name; InputError if there is none."""
    return _MODALITIES.get(name)


def modality_names() -> tuple[str, ...]:
    """Registered names in alphabetical order."""
    return _MODALITIES.names()


def drawing_models() -> dict[str, type[Drawing]]:
    """Every modality's settings by its name."""
    return {name: get_modality(name).settings for name in modality_names()}
