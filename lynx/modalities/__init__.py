"""X as pseudo-frames: one file per modality. A module here with a `MODALITY` is registered."""

from __future__ import annotations

from lynx.modalities.registry import (
    Modality,
    drawing_models,
    get_modality,
    modality_names,
    register,
)
from lynx.registry import exported

for _modality in exported(__name__, "MODALITY"):
    register(_modality)

__all__ = ["Modality", "drawing_models", "get_modality", "modality_names", "register"]
