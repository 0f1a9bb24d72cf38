"""How a decoded picture is turned for display: the display matrix of a track (ISO 14496-12, tkhd).

Legend: `H` x `W` stored size; turned by a quarter it is shown as `W` x `H`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ONE = 1 << 16  # the matrix holds 16.16 fixed-point numbers


@dataclass(frozen=True)
class Orientation:
    """Swap rows and columns first, then mirror each axis of the result."""

    transposed: bool = False
    mirrored_rows: bool = False
    mirrored_columns: bool = False

    @property
    def is_rotation(self) -> bool:
        """Whether it is a turn, with no mirror image."""
        mirrors = (self.transposed, self.mirrored_rows, self.mirrored_columns)
        return sum(mirrors) % 2 == 0

    def apply(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn (H, W, 3) to what is shown."""
        turned = picture.swapaxes(0, 1) if self.transposed else picture
        rows = slice(None, None, -1 if self.mirrored_rows else 1)
        columns = slice(None, None, -1 if self.mirrored_columns else 1)
        return turned[rows, columns]


def orientation_of(matrix: bytes | None) -> Orientation:
    """Read the 9 native-endian int32 of a display matrix: x' = a x + c y, y' = b x + d y.

    Any other angle than a quarter turn is taken for the nearest one, as players without a
    resampling filter do. No matrix is no turn.
    """
    if matrix is None:
        return Orientation()
    a, b, _, c, d = (int(value) / _ONE for value in np.frombuffer(matrix, dtype=np.int32)[:5])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(transposed=True, mirrored_rows=b < 0, mirrored_columns=c < 0)
    return Orientation(mirrored_rows=d < 0, mirrored_columns=a < 0)
