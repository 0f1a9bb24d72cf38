"""Facts that RGB shows: colours, categories, counts, sides. None where a scene has no such fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lynx.demo.world.camera import mean_camera
from lynx.demo.world.fact import Fact
from lynx.demo.world.furniture import CATEGORIES
from lynx.demo.world.palette import COLOURS
from lynx.demo.world.scene import Furniture, Scene
from lynx.demo.world.wording import COUNT_WORDS

Rng = np.random.Generator


def _one(rng: Rng, items: Sequence[str]) -> str:
    return items[int(rng.integers(len(items)))]


def _piece(scene: Scene, rng: Rng) -> Furniture:
    return scene.objects[int(rng.integers(len(scene.objects)))]


def _yes_or_no(rng: Rng, present: Sequence[str], every: Sequence[str]) -> tuple[str, str]:
    """An even chance of a present thing and "yes", or an absent one and "no"."""
    absent = [item for item in every if item not in present]
    return (_one(rng, present), "yes") if rng.random() < 0.5 else (_one(rng, absent), "no")


def _floor_colour(scene: Scene, _: Rng) -> Fact:
    return Fact((scene.room.floor_colour,), objects=("floor",))


def _wall_colour(scene: Scene, _: Rng) -> Fact:
    return Fact((scene.room.wall_colour,), objects=("wall",))


def _object_colour(scene: Scene, rng: Rng) -> Fact:
    piece = _piece(scene, rng)
    return Fact((piece.colour,), {"category": piece.category}, (piece.category,))


def _object_of_colour(scene: Scene, rng: Rng) -> Fact:
    piece = _piece(scene, rng)
    answers = (piece.category, f"{piece.colour} {piece.category}")
    return Fact(answers, {"colour": piece.colour}, (piece.category,))


def _outermost(scene: Scene, rng: Rng) -> tuple[str, Furniture] | None:
    """A side and the piece that stands there, in the mean camera's picture."""
    if len(scene.objects) < 2:
        return None
    camera = mean_camera(scene)
    rows = np.array([(piece.x, piece.y, 0.0) for piece in scene.objects]) - camera.position
    local = rows @ camera.rotation
    order = np.argsort(local[:, 0] / local[:, 2])
    side = _one(rng, ("left", "right"))
    return side, scene.objects[int(order[0] if side == "left" else order[-1])]


def _object_on_side(scene: Scene, rng: Rng) -> Fact | None:
    found = _outermost(scene, rng)
    if found is None:
        return None
    side, piece = found
    answers = (f"{piece.colour} {piece.category}", piece.category)
    return Fact(answers, {"side": side}, (piece.category,))


def _side_category(scene: Scene, rng: Rng) -> Fact | None:
    found = _outermost(scene, rng)
    if found is None:
        return None
    return Fact((found[1].category,), {"side": found[0]}, (found[1].category,))


def _names(scene: Scene) -> tuple[str, ...]:
    return tuple(piece.category for piece in scene.objects)


def _object_count(scene: Scene, _: Rng) -> Fact:
    return Fact((COUNT_WORDS[len(scene.objects)],), objects=_names(scene))


def _category_exists(scene: Scene, rng: Rng) -> Fact:
    category, answer = _yes_or_no(rng, _names(scene), CATEGORIES)
    return Fact((answer,), {"category": category}, (category,) if answer == "yes" else ())


def _colour_exists(scene: Scene, rng: Rng) -> Fact:
    present = [
        scene.room.floor_colour,
        scene.room.wall_colour,
        *(piece.colour for piece in scene.objects),
    ]
    colour, answer = _yes_or_no(rng, present, COLOURS)
    return Fact((answer,), {"colour": colour})


def _count_check(scene: Scene, rng: Rng) -> Fact:
    words = tuple(COUNT_WORDS.values())
    count, answer = _yes_or_no(rng, [COUNT_WORDS[len(scene.objects)]], words)
    return Fact((answer,), {"count": count}, _names(scene))


def _wall_colour_check(scene: Scene, rng: Rng) -> Fact:
    colour, answer = _yes_or_no(rng, [scene.room.wall_colour], COLOURS)
    return Fact((answer,), {"colour": colour}, ("wall",))


def _door_side(scene: Scene, _: Rng) -> Fact | None:
    if scene.door is None:
        return None
    side = "left" if scene.door.left + scene.door.right < 0 else "right"
    return Fact((f"on the {side}", side), objects=("door",))


COLOUR_FACTS: Mapping[str, Callable[[Scene, Rng], Fact | None]] = {
    "floor_colour": _floor_colour,
    "wall_colour": _wall_colour,
    "object_colour": _object_colour,
    "object_of_colour": _object_of_colour,
    "object_on_side": _object_on_side,
    "side_category": _side_category,
    "object_count": _object_count,
    "category_exists": _category_exists,
    "category_visible": _category_exists,
    "colour_exists": _colour_exists,
    "count_check": _count_check,
    "wall_colour_check": _wall_colour_check,
    "door_side": _door_side,
}
