"""Matrices as ScanNet writes them: one row a line, numbers apart by spaces, `#` for comments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def parse_matrix(text: str) -> NDArray[np.float64] | None:
    """Square matrix held in `text`, None where it is not one of numbers (inf and nan are)."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    try:
        rows = [[float(word) for word in words] for words in lines if words]
    except ValueError:
        return None
    if not rows or any(len(row) != len(rows) for row in rows):
        return None
    return np.array(rows, dtype=np.float64)


def format_matrix(matrix: NDArray[np.float64]) -> str:
    """Text from which `parse_matrix` gets the same float64 numbers back."""
    return "".join(" ".join(f"{value:.17g}" for value in row) + "\n" for row in matrix)
