"""X as pseudo-frames: one file per modality, one line here."""

from __future__ import annotations

from lynx.modalities.depth import DEPTH
from lynx.modalities.registry import Modality, get_modality, modality_names, register

register(DEPTH)

__all__ = ["Modality", "get_modality", "modality_names", "register"]
