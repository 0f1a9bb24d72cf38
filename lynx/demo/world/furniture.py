"""The furniture catalogue: every category is a few boxes with a silhouette of its own.

Local frame of a piece: origin on the floor under its middle, x to its right as seen by somebody in
front of it, y away from that person, z up. Lengths are base units (metres in a scene of scale 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lynx.demo.world.palette import PILLOW, RGB


@dataclass(frozen=True)
class Part:
    """One box: centre and size (x, y, z), and how it is painted.

    `brightness` multiplies the colour of the piece, so that legs and gaps stand out; `paint`
    replaces that colour where a part has one of its own (a pillow is white on every bed).
    """

    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    brightness: float = 1.0
    paint: RGB | None = None


@dataclass(frozen=True)
class Shape:
    """A category's boxes at size factor 1 and the extent (x, y, z) that holds them all."""

    parts: tuple[Part, ...]
    extent: tuple[float, float, float]


def _standing(x: float, y: float, low: float, size: tuple[float, float, float]) -> Part:
    """A box at (x, y) whose lower face is `low` above the floor."""
    return Part(centre=(x, y, low + size[2] / 2), size=size)


def _legs(half_x: float, half_y: float, height: float, thickness: float) -> tuple[Part, ...]:
    corners = [(sx * half_x, sy * half_y) for sx in (-1, 1) for sy in (-1, 1)]
    size = (thickness, thickness, height)
    return tuple(Part((x, y, height / 2), size, brightness=0.7) for x, y in corners)


def _table() -> tuple[Part, ...]:
    top = _standing(0, 0, 0.70, (1.10, 0.70, 0.10))
    return (top, *_legs(0.48, 0.28, 0.70, 0.11))


def _chair() -> tuple[Part, ...]:
    seat = _standing(0, 0, 0.42, (0.54, 0.54, 0.10))
    back = _standing(0, 0.23, 0.52, (0.54, 0.09, 0.53))
    return (seat, back, *_legs(0.22, 0.22, 0.42, 0.09))


def _sofa() -> tuple[Part, ...]:
    seat = _standing(0, -0.08, 0.06, (1.16, 0.56, 0.38))
    back = _standing(0, 0.26, 0.06, (1.16, 0.18, 0.94))
    arms = tuple(_standing(sx * 0.66, 0, 0.06, (0.16, 0.70, 0.56)) for sx in (-1, 1))
    gap = Part((0, -0.05, 0.03), (1.36, 0.60, 0.06), brightness=0.35)
    return (seat, back, *arms, gap)


def _bed() -> tuple[Part, ...]:
    mattress = _standing(0, 0, 0.12, (0.94, 1.30, 0.34))
    board = _standing(0, 0.68, 0.0, (1.04, 0.08, 0.88))
    pillow = Part((0, 0.42, 0.51), (0.70, 0.34, 0.12), paint=PILLOW)
    return (mattress, board, pillow, *_legs(0.41, 0.58, 0.12, 0.11))


def _cabinet() -> tuple[Part, ...]:
    body = _standing(0, 0, 0.0, (0.84, 0.46, 1.22))
    gap = Part((0, -0.235, 0.61), (0.05, 0.02, 1.12), brightness=0.3)
    rails = tuple(Part((0, -0.235, z), (0.76, 0.02, 0.05), brightness=0.3) for z in (0.42, 0.82))
    return (body, gap, *rails)


def _lamp() -> tuple[Part, ...]:
    foot = Part((0, 0, 0.04), (0.38, 0.38, 0.08), brightness=0.7)
    pole = Part((0, 0, 0.48), (0.08, 0.08, 0.80), brightness=0.7)
    shade = _standing(0, 0, 0.86, (0.50, 0.50, 0.39))
    return (foot, pole, shade)


_BUILDERS: Mapping[str, Callable[[], tuple[Part, ...]]] = {
    "table": _table,
    "chair": _chair,
    "sofa": _sofa,
    "bed": _bed,
    "cabinet": _cabinet,
    "lamp": _lamp,
}
CATEGORIES: tuple[str, ...] = tuple(_BUILDERS)


def _extent(parts: tuple[Part, ...]) -> tuple[float, float, float]:
    width, depth = (2 * max(abs(p.centre[i]) + p.size[i] / 2 for p in parts) for i in (0, 1))
    return width, depth, max(p.centre[2] + p.size[2] / 2 for p in parts)


SHAPES: Mapping[str, Shape] = {
    name: Shape(parts, _extent(parts))
    for name, parts in ((name, build()) for name, build in _BUILDERS.items())
}
