"""The stages and their versions; raise one when a change in code changes what its stage makes."""

from __future__ import annotations

STAGE_VERSIONS = {
    "world": 4,
    "base": 1,
    "data": 1,
    "frames": 2,
    "reference": 1,
    "geometry": 1,
    "stability": 1,
    "align": 2,
    "features": 1,
    "sft": 3,
    "predict": 4,
    "score": 4,
    "lmms": 4,
    "train-base": 2,
}
