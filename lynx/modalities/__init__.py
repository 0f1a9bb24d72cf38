"""X as pseudo-frames: one file per modality. A module here with a `MODALITY` is registered."""

from __future__ import annotations

import importlib
import pkgutil

from lynx.modalities.registry import Modality, get_modality, modality_names, register

for _module in sorted(item.name for item in pkgutil.iter_modules(__path__)):
    _found = getattr(importlib.import_module(f"{__name__}.{_module}"), "MODALITY", None)
    if _found is not None:
        register(_found)

__all__ = ["Modality", "get_modality", "modality_names", "register"]
