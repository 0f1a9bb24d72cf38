"""Scenes of the demo world: what stands in a room, drawn from a seed and a scene number.

Lengths are base units; a scene's metric size is base units times `Scene.scale`. World frame, as in
ScanNet: z up; the cameras stand near the origin and look along +y at the back wall.

Three facts leave no trace in RGB and are carried by depth alone: the metric `scale`, whether the
door is open, and whether the wall panel is a window. They are drawn in shuffled blocks of all their
combinations (`Hidden`), so that every split is balanced, and from a random stream of their own, so
that nothing that is visible depends on them.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lynx.demo.world.furniture import CATEGORIES, SHAPES
from lynx.demo.world.palette import COLOURS

SizeClass = Literal["small", "medium", "large"]
SCALE_RANGES: dict[SizeClass, tuple[float, float]] = {
    "small": (0.35, 0.45),
    "medium": (0.9, 1.1),
    "large": (2.0, 2.4),
}

OBJECT_COUNT_SHARES = {1: 0.40, 2: 0.35, 3: 0.25}
FIXTURE_SHARE = 0.88  # scenes with a door, and, drawn apart, scenes with a wall panel
# Share of the narrower of two pieces that may lie behind the other, as seen from the room's front.
MAX_OVERLAP = 0.25

# Random streams of one seed; a stream's numbers never depend on another stream or scene.
_HIDDEN_STREAM, _VISIBLE_STREAM = 0, 1

# size class, door open, panel a window, coin: a block of scenes holds every combination once.
_COMBINATIONS = tuple(itertools.product(SCALE_RANGES, (False, True), (False, True), (False, True)))


@dataclass(frozen=True)
class Furniture:
    """A piece of furniture: position of its middle on the floor (base units), yaw in radians.

    `size` multiplies the catalogue's shape in all three directions.
    """

    category: str
    colour: str
    x: float
    y: float
    yaw: float
    size: float

    @property
    def height(self) -> float:
        """Height in base units."""
        return SHAPES[self.category].extent[2] * self.size


@dataclass(frozen=True)
class Rectangle:
    """An upright rectangle on the back wall, base units: x and z limits."""

    left: float
    right: float
    low: float
    high: float


@dataclass(frozen=True)
class Room:
    """The room box: |x| <= half_width, front <= y <= back, 0 <= z <= height, in base units."""

    half_width: float
    front: float
    back: float
    height: float
    floor_colour: str
    wall_colour: str


@dataclass(frozen=True)
class CameraPath:
    """A smooth hand-held sweep about a mean camera: angles in radians, lengths in base units."""

    x: float
    y: float
    height: float
    yaw: float
    pitch: float
    sway: float
    yaw_swing: float
    pitch_swing: float
    phase: float


@dataclass(frozen=True)
class Hidden:
    """The facts that only depth shows. `coin` thins out questions that would be lopsided."""

    size_class: SizeClass
    scale: float
    door_open: bool
    panel_is_window: bool
    coin: bool


@dataclass(frozen=True)
class Scene:
    """One room. `objects` stand from left to right as the mean camera sees them."""

    seed: int
    index: int
    room: Room
    objects: tuple[Furniture, ...]
    door: Rectangle | None
    panel: Rectangle | None
    path: CameraPath
    hidden: Hidden

    @property
    def scale(self) -> float:
        """Metres per base unit."""
        return self.hidden.scale

    @property
    def scene_id(self) -> str:
        """ScanNet's form of a scene name; the demo world owns scene9000 to scene9999."""
        return f"scene{9000 + self.index:04d}_00"

    @property
    def block(self) -> int:
        """Number of the block of scenes among which the hidden facts are balanced."""
        return self.index // len(_COMBINATIONS)


def stream(seed: int, *key: int) -> np.random.Generator:
    """An independent generator for one purpose, the same whatever else was drawn before."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def build_scene(seed: int, index: int) -> Scene:
    """Draw scene number `index` (>= 0) of the world `seed`; depends on these two numbers alone."""
    rng = stream(seed, _VISIBLE_STREAM, index)
    counts = list(OBJECT_COUNT_SHARES)
    count = int(rng.choice(counts, p=list(OBJECT_COUNT_SHARES.values())))
    colours = [COLOURS[i] for i in rng.permutation(len(COLOURS))[: count + 2]]
    categories = [CATEGORIES[i] for i in rng.permutation(len(CATEGORIES))[:count]]
    room = _draw_room(rng, floor_colour=colours[0], wall_colour=colours[1])
    path = _draw_path(rng)
    objects = _place(rng, categories, colours[2:], path, room)
    door, panel = _draw_fixtures(rng)
    return Scene(seed, index, room, objects, door, panel, path, _draw_hidden(seed, index))


def _draw_hidden(seed: int, index: int) -> Hidden:
    block, place = divmod(index, len(_COMBINATIONS))
    rng = stream(seed, _HIDDEN_STREAM, block)
    order = rng.permutation(len(_COMBINATIONS))
    uniform = rng.random(len(_COMBINATIONS))
    size_class, door_open, panel_is_window, coin = _COMBINATIONS[order[place]]
    low, high = SCALE_RANGES[size_class]
    scale = float(low + (high - low) * uniform[place])
    return Hidden(size_class, scale, door_open, panel_is_window, coin)


def _draw_room(rng: np.random.Generator, *, floor_colour: str, wall_colour: str) -> Room:
    return Room(
        half_width=float(rng.uniform(2.1, 2.5)),
        front=-1.0,
        back=float(rng.uniform(3.9, 4.2)),
        height=float(rng.uniform(2.35, 2.55)),
        floor_colour=floor_colour,
        wall_colour=wall_colour,
    )


def _draw_path(rng: np.random.Generator) -> CameraPath:
    return CameraPath(
        x=float(rng.uniform(-0.12, 0.12)),
        y=float(rng.uniform(-0.10, 0.10)),
        height=float(rng.uniform(1.30, 1.45)),
        yaw=float(np.radians(rng.uniform(-3, 3))),
        pitch=float(np.radians(rng.uniform(-11, -8))),
        sway=float(rng.uniform(0.10, 0.28)),
        yaw_swing=float(np.radians(rng.uniform(4, 11))),
        pitch_swing=float(np.radians(rng.uniform(1, 3))),
        phase=float(rng.uniform(0, 2 * np.pi)),
    )


def _draw_fixtures(rng: np.random.Generator) -> tuple[Rectangle | None, Rectangle | None]:
    """Door and panel on opposite halves of the back wall; each may be missing."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    door_x, panel_x = side * rng.uniform(0.65, 1.15), -side * rng.uniform(0.65, 1.15)
    door_width, door_height = rng.uniform(0.80, 0.95), rng.uniform(1.90, 2.05)
    panel_width, panel_height = rng.uniform(0.95, 1.25), rng.uniform(0.70, 0.85)
    panel_low = rng.uniform(1.15, 1.25)
    has_door, has_panel = rng.random(2) < FIXTURE_SHARE
    door = _rectangle(door_x, door_width, 0.0, door_height)
    panel = _rectangle(panel_x, panel_width, panel_low, panel_low + panel_height)
    return (door if has_door else None), (panel if has_panel else None)


def _rectangle(x: float, width: float, low: float, high: float) -> Rectangle:
    return Rectangle(float(x - width / 2), float(x + width / 2), float(low), float(high))


def _place(
    rng: np.random.Generator,
    categories: list[str],
    colours: list[str],
    path: CameraPath,
    room: Room,
) -> tuple[Furniture, ...]:
    """Place the pieces left to right without hiding one behind another.

    Layouts are redrawn until no two pieces overlap by more than `MAX_OVERLAP` of the narrower one.
    """
    for _ in range(500):
        drawn = _draw_layout(rng, categories, colours, path)
        if _is_clear(drawn, path, room):
            return drawn
    raise RuntimeError(f"no clear layout for {categories} in 500 draws")


def _draw_layout(
    rng: np.random.Generator, categories: list[str], colours: list[str], path: CameraPath
) -> tuple[Furniture, ...]:
    middles = {1: (0.0,), 2: (-13.0, 13.0), 3: (-21.0, 0.0, 21.0)}[len(categories)]
    spread = {1: 15.0, 2: 4.0, 3: 2.5}[len(categories)]
    nearest = {1: 2.0, 2: 2.2, 3: 2.5}[len(categories)]
    turn = {1: 40.0, 2: 35.0, 3: 25.0}[len(categories)]
    pieces = []
    for category, colour, middle in zip(categories, colours, middles, strict=True):
        angle = path.yaw + math.radians(middle + rng.uniform(-spread, spread))
        distance = rng.uniform(nearest, 3.2)
        pieces.append(
            Furniture(
                category=category,
                colour=colour,
                x=float(path.x + distance * math.tan(angle)),
                y=float(path.y + distance),
                yaw=float(math.radians(rng.uniform(-turn, turn))),
                size=float(rng.uniform(0.93, 1.12)),
            )
        )
    return tuple(pieces)


def footprint(piece: Furniture) -> NDArray[np.float64]:
    """The corners of a piece's floor rectangle, world x and y in base units, shape (4, 2)."""
    width, depth, _ = SHAPES[piece.category].extent
    local = 0.5 * piece.size * np.array([(-width, -depth), (width, -depth), (width, depth),
                                         (-width, depth)])  # fmt: skip
    cos, sin = math.cos(piece.yaw), math.sin(piece.yaw)
    turned = local @ np.array([[cos, sin], [-sin, cos]])
    corners: NDArray[np.float64] = turned + np.array([piece.x, piece.y])
    return corners


def _is_clear(pieces: tuple[Furniture, ...], path: CameraPath, room: Room) -> bool:
    spans = []
    for piece in pieces:
        corners = footprint(piece)
        if np.abs(corners[:, 0]).max() > room.half_width - 0.05:
            return False
        if corners[:, 1].max() > room.back - 0.1 or corners[:, 1].min() < path.y + 1.4:
            return False
        tangents = (corners[:, 0] - path.x) / (corners[:, 1] - path.y)
        spans.append((float(tangents.min()), float(tangents.max())))
    return all(_overlap(a, b) <= MAX_OVERLAP for a, b in itertools.combinations(spans, 2))


def _overlap(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Overlap of two intervals as a share of the shorter one."""
    shared = min(a[1], b[1]) - max(a[0], b[0])
    return max(0.0, shared) / min(a[1] - a[0], b[1] - b[0])
