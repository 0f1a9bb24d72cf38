"""Facts that only depth shows: metric sizes, the door, the wall panel. None where not to be asked.

Whether a question is asked is decided by visible facts (base units), never by the metric answer, so
that "which question was asked" gives nothing away; the limits are such that every size class then
falls clearly on one side of the metric threshold. (Yes/no questions are thinned, see `_is_asked`.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from lynx.demo.world.camera import mean_camera
from lynx.demo.world.fact import Fact
from lynx.demo.world.scene import Furniture, Scene, SizeClass, footprint
from lynx.demo.world.wording import DEPTH_ANSWERS

Rng = np.random.Generator

# Heights in metres: up to a knee, about a chest, above a tall person. Pieces of base height 0.95
# to 1.45 are at most 0.65 m in a small scene, 0.86 to 1.6 m in a medium, 1.9 m or more in a large.
KNEE_HIGH, CHEST_HIGH, TALLER_THAN_ME = (0.0, 0.66), (0.85, 1.60), (1.89, math.inf)
ASKED_HEIGHTS = (0.95, 1.45)  # base units

# Distances in metres: an arm and a step. Pieces at 1.5 to 2.7 base units are nearer than 1.22 m in
# a small scene and farther than 1.34 m in the others.
REACH = 1.28
ASKED_DISTANCES = (1.5, 2.7)  # base units

_SIZES: tuple[SizeClass, ...] = ("small", "medium", "large")


def _by_size(scene: Scene, kind: str) -> str:
    return DEPTH_ANSWERS[kind][_SIZES.index(scene.hidden.size_class)]


def _room_size(scene: Scene, _: Rng) -> Fact:
    return Fact((_by_size(scene, "room_size"),))


def _wall_steps(scene: Scene, _: Rng) -> Fact:
    answer = _by_size(scene, "wall_steps")
    return Fact((answer, answer.removesuffix(" steps")), objects=("wall",))


def height_answer(metres: float) -> str | None:
    """How tall in words; None where a height lies between two words."""
    limits = (KNEE_HIGH, CHEST_HIGH, TALLER_THAN_ME)
    for answer, (low, high) in zip(DEPTH_ANSWERS["object_height"], limits, strict=True):
        if low <= metres <= high:
            return answer
    return None


def _pick(rng: Rng, pieces: list[Furniture]) -> Furniture | None:
    return pieces[int(rng.integers(len(pieces)))] if pieces else None


def _object_height(scene: Scene, rng: Rng) -> Fact | None:
    low, high = ASKED_HEIGHTS
    piece = _pick(rng, [p for p in scene.objects if low <= p.height <= high])
    if piece is None:
        return None
    answer = height_answer(scene.scale * piece.height)
    if answer is None:
        raise AssertionError(f"{scene.scene_id}: {piece.category} has an ambiguous height")
    return Fact((answer,), {"category": piece.category}, (piece.category,))


def floor_distance(scene: Scene, piece: Furniture) -> float:
    """Distance on the floor from the mean camera to a piece's nearest point, base units."""
    x, y, _ = mean_camera(scene).position
    corners = footprint(piece) - (x, y)
    ends = np.roll(corners, -1, axis=0)
    along = ends - corners
    share = np.clip(-(corners * along).sum(axis=1) / (along**2).sum(axis=1), 0.0, 1.0)
    return float(np.linalg.norm(corners + share[:, None] * along, axis=1).min())


def _is_asked(scene: Scene, yes_class: SizeClass, coin: bool) -> bool:
    """Thin out the two classes whose answer is "no" to one half: as many "no" as "yes"."""
    return scene.hidden.size_class == yes_class or scene.hidden.coin == coin


def _yes_if(truth: bool) -> tuple[str, ...]:
    return ("yes" if truth else "no",)


def _object_reach(scene: Scene, rng: Rng) -> Fact | None:
    low, high = ASKED_DISTANCES
    near = [p for p in scene.objects if low <= floor_distance(scene, p) <= high]
    piece = _pick(rng, near)
    if piece is None or not _is_asked(scene, "small", coin=False):
        return None
    answer = _yes_if(scene.scale * floor_distance(scene, piece) < REACH)
    return Fact(answer, {"category": piece.category}, (piece.category,))


def _low_ceiling(scene: Scene, _: Rng) -> Fact | None:
    if not _is_asked(scene, "small", coin=True):
        return None
    return Fact(_yes_if(scene.hidden.size_class == "small"), objects=("ceiling",))


def _large_room(scene: Scene, _: Rng) -> Fact | None:
    if not _is_asked(scene, "large", coin=True):
        return None
    return Fact(_yes_if(scene.hidden.size_class == "large"))


def _door_state(scene: Scene, _: Rng) -> Fact | None:
    if scene.door is None:
        return None
    return Fact(("open" if scene.hidden.door_open else "closed",), objects=("door",))


def _door_is_open(scene: Scene, _: Rng) -> Fact | None:
    if scene.door is None:
        return None
    return Fact(_yes_if(scene.hidden.door_open), objects=("door",))


def _panel_kind(scene: Scene, _: Rng) -> Fact | None:
    if scene.panel is None:
        return None
    answer = "window" if scene.hidden.panel_is_window else "picture"
    return Fact((answer,), objects=("wall panel",))


DEPTH_FACTS: Mapping[str, Callable[[Scene, Rng], Fact | None]] = {
    "room_size": _room_size,
    "wall_steps": _wall_steps,
    "object_height": _object_height,
    "object_reach": _object_reach,
    "low_ceiling": _low_ceiling,
    "large_room": _large_room,
    "door_state": _door_state,
    "door_passable": _door_is_open,
    "door_open_check": _door_is_open,
    "panel_kind": _panel_kind,
}
