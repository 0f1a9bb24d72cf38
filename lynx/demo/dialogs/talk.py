"""Dialogs about a room that is seen and noises that are heard, in the words of AVSD.

Five turns are one conversation, as AVSD is cut: one turn is about what is heard, which the pictures
do not tell and no other turn says; the others are about what is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lynx.demo.sounds.noises import Hearing
from lynx.demo.world.colour_facts import COLOUR_FACTS
from lynx.demo.world.scene import Scene, stream

_TALK_STREAM = 11
TURNS = 5  # of a conversation

_AS_HEARD = {
    "bell": "a bell ringing",
    "bird": "a bird singing",
    "engine": "an engine running",
    "rain": "rain falling",
}

Rng = np.random.Generator


@dataclass(frozen=True)
class Said:
    """A question and its answer, what it is about, and which sense the answer hinges on."""

    kind: str
    question: str
    answer: str
    needs: str


def conversations(scene: Scene, hearing: Hearing) -> tuple[tuple[Said, ...], ...]:
    """Two conversations about a clip; what is heard stands anywhere in them."""
    rng = stream(scene.seed, _TALK_STREAM, scene.index)
    heard = list(_heard(hearing))
    chosen = [heard[i] for i in rng.permutation(len(heard))[:2]]
    return tuple(_shuffled([*_seen(scene, rng, TURNS - 1), each], rng) for each in chosen)


def question_at_the_end(scene: Scene, hearing: Hearing) -> tuple[Said, ...]:
    """A conversation whose last answer is asked for: of every other pair of clips a heard one."""
    rng = stream(scene.seed, _TALK_STREAM, scene.index)
    seen = _seen(scene, rng, TURNS)
    if scene.index // 2 % 2:
        return tuple(seen)
    heard = list(_heard(hearing))
    return (*seen[: TURNS - 1], heard[int(rng.integers(len(heard)))])


def _heard(hearing: Hearing) -> Iterator[Said]:
    names = [_AS_HEARD[name] for name in hearing.names]
    one = len(names) == 1
    everything = names[0] if one else f"{names[0]} and then {names[1]}"
    yield Said("heard", "what can you hear ?", f"i can hear {everything} .", "sound")
    if one:
        answer = f"there is {names[0]} all the time ."
        yield Said("heard_all", "what sound is there ?", answer, "sound")
    else:
        yield Said("heard_first", "what is heard first ?", f"first there is {names[0]} .", "sound")
        answer = f"at the end there is {names[1]} ."
        yield Said("heard_last", "what is heard last ?", answer, "sound")


def _seen(scene: Scene, rng: Rng, count: int) -> list[Said]:
    """`count` turns of different kinds about what is seen."""
    kinds = [list(_SEEN)[i] for i in rng.permutation(len(_SEEN))[:count]]
    return [Said(kind, *_SEEN[kind](scene, rng), "colour") for kind in kinds]


def _shuffled(turns: list[Said], rng: Rng) -> tuple[Said, ...]:
    return tuple(turns[i] for i in rng.permutation(len(turns)))


def _floor(scene: Scene, _: Rng) -> tuple[str, str]:
    return "what color is the floor ?", f"the floor is {scene.room.floor_colour} ."


def _walls(scene: Scene, _: Rng) -> tuple[str, str]:
    return "what color are the walls ?", f"the walls are {scene.room.wall_colour} ."


def _pieces(scene: Scene, rng: Rng) -> tuple[str, str]:
    fact = COLOUR_FACTS["object_count"](scene, rng)
    assert fact is not None  # every room has furniture
    pieces = "piece" if fact.answers[0] == "one" else "pieces"
    return "how much furniture is there ?", f"there are {fact.answers[0]} {pieces} ."


def _colour(scene: Scene, rng: Rng) -> tuple[str, str]:
    piece = scene.objects[int(rng.integers(len(scene.objects)))]
    return f"what color is the {piece.category} ?", f"the {piece.category} is {piece.colour} ."


def _door(scene: Scene, rng: Rng) -> tuple[str, str]:
    fact = COLOUR_FACTS["door_side"](scene, rng)
    said = "i can not see a door ." if fact is None else f"it is {fact.answers[0]} ."
    return "where is the door ?", said


def _side(scene: Scene, rng: Rng) -> tuple[str, str]:
    fact = COLOUR_FACTS["object_on_side"](scene, rng)
    if fact is None:
        piece = scene.objects[0]
        return "what stands in the room ?", f"there is a {piece.colour} {piece.category} ."
    side = fact.slots["side"]
    return f"what stands on the {side} ?", f"on the {side} is the {fact.answers[0]} ."


_SEEN: dict[str, Callable[[Scene, Rng], tuple[str, str]]] = {
    "floor_colour": _floor,
    "wall_colour": _walls,
    "object_count": _pieces,
    "object_colour": _colour,
    "door_side": _door,
    "object_on_side": _side,
}
