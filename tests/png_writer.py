"""Small image files for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def write_depth(folder: Path, number: int, depth: NDArray[np.uint16]) -> Path:
    """A 16-bit PNG of depth (H, W) in millimetres."""
    path = folder / f"{number}.png"
    Image.fromarray(depth).save(path)
    return path
