"""Every sentence of the demo world: question wordings by kind, situations, closed answer sets.

Slots: {category} a piece of furniture, {colour} a colour name, {side} left or right, {count} a
number word. SQA3D sorts questions by their first word, so its wordings cover What, Is, How, Can,
Which and other words.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Mapping
from typing import Literal

from lynx.demo.world.furniture import CATEGORIES
from lynx.demo.world.palette import COLOURS

Need = Literal["colour", "depth"]
Wordings = Mapping[str, tuple[str, ...]]

COUNT_WORDS = {1: "one", 2: "two", 3: "three"}
SLOT_VALUES: Mapping[str, tuple[str, ...]] = {
    "category": CATEGORIES,
    "colour": COLOURS,
    "side": ("left", "right"),
    "count": tuple(COUNT_WORDS.values()),
}

_YES_NO = ("yes", "no")

# The answers a question of each kind can have; for colour questions the first, preferred form.
COLOUR_ANSWERS: Mapping[str, tuple[str, ...]] = {
    "floor_colour": COLOURS,
    "wall_colour": COLOURS,
    "object_colour": COLOURS,
    "object_of_colour": CATEGORIES,
    "object_on_side": tuple(f"{colour} {name}" for colour in COLOURS for name in CATEGORIES),
    "side_category": CATEGORIES,
    "object_count": tuple(COUNT_WORDS.values()),
    "category_exists": _YES_NO,
    "category_visible": _YES_NO,
    "colour_exists": _YES_NO,
    "count_check": _YES_NO,
    "wall_colour_check": _YES_NO,
    "door_side": ("on the left", "on the right"),
}
DEPTH_ANSWERS: Mapping[str, tuple[str, ...]] = {
    "room_size": ("small", "medium", "large"),
    "wall_steps": ("two steps", "six steps", "twelve steps"),
    "object_height": ("knee high", "chest high", "taller than me"),
    "object_reach": _YES_NO,
    "low_ceiling": _YES_NO,
    "large_room": _YES_NO,
    "door_state": ("open", "closed"),
    "door_passable": _YES_NO,
    "door_open_check": _YES_NO,
    "panel_kind": ("picture", "window"),
}

SCANQA_WORDINGS: Wordings = {
    "floor_colour": (
        "What color is the floor?",
        "What is the color of the floor?",
        "Which color does the floor have?",
    ),
    "wall_colour": (
        "What color are the walls?",
        "What is the color of the walls?",
        "Which color do the walls have?",
    ),
    "object_colour": (
        "What color is the {category}?",
        "What is the color of the {category}?",
        "Which color does the {category} have?",
    ),
    "object_of_colour": (
        "What furniture is {colour}?",
        "What is the {colour} piece of furniture?",
        "Which piece of furniture is {colour}?",
    ),
    "object_on_side": (
        "What stands on the {side}?",
        "What is the furniture on the {side} side of the room?",
        "Which piece of furniture is on the {side}?",
    ),
    "object_count": (
        "How many pieces of furniture are there?",
        "How many pieces of furniture are in the room?",
        "What is the number of pieces of furniture?",
    ),
    "category_exists": (
        "Is there a {category} in the room?",
        "Does the room have a {category}?",
    ),
    "colour_exists": (
        "Is there anything {colour} in the room?",
        "Is anything here {colour}?",
    ),
    "door_side": (
        "Where is the door?",
        "On which side of the room is the door?",
    ),
    "room_size": (
        "How big is the room?",
        "What is the size of the room?",
        "How large is this room?",
    ),
    "wall_steps": (
        "How many steps is it to the back wall?",
        "How many steps away is the back wall?",
        "How far away is the back wall in steps?",
    ),
    "object_height": (
        "How tall is the {category}?",
        "How high is the {category}?",
        "What is the height of the {category}?",
    ),
    "object_reach": (
        "Can I reach the {category} from here?",
        "Is the {category} close enough to touch?",
    ),
    "low_ceiling": (
        "Is the ceiling low?",
        "Does the room have a low ceiling?",
    ),
    "door_state": (
        "Is the door open or closed?",
        "What is the state of the door?",
        "How is the door, open or closed?",
    ),
    "panel_kind": (
        "Is the thing on the wall a picture or a window?",
        "What is on the back wall, a picture or a window?",
        "Which is on the wall, a picture or a window?",
    ),
}

SQA3D_WORDINGS: Wordings = {
    "floor_colour": ("What color is the floor under me?", "What is the color of the floor?"),
    "object_colour": ("What color is the {category}?", "Which color does the {category} have?"),
    "object_of_colour": (
        "What {colour} furniture is in front of me?",
        "Which piece of furniture is {colour}?",
    ),
    "side_category": (
        "What furniture is on my {side}?",
        "Which piece of furniture is on my {side} side?",
    ),
    "object_count": (
        "How many pieces of furniture are in front of me?",
        "How many pieces of furniture can I see?",
    ),
    "category_exists": (
        "Is there a {category} in front of me?",
        "Is one of the pieces of furniture a {category}?",
    ),
    "category_visible": (
        "Can I see a {category} from here?",
        "Can you find a {category} in front of me?",
    ),
    "count_check": (
        "Are there {count} pieces of furniture in front of me?",
        "Do I see {count} pieces of furniture?",
    ),
    "wall_colour_check": ("Are the walls around me {colour}?", "Do the walls look {colour}?"),
    "room_size": ("How big is the room I am in?", "What size is the room around me?"),
    "wall_steps": (
        "How many steps do I need to the wall in front of me?",
        "How many steps away is the wall I am facing?",
    ),
    "object_height": ("How tall is the {category}?", "How high does the {category} reach?"),
    "object_reach": (
        "Can I reach the {category} from here?",
        "Can I touch the {category} without walking?",
    ),
    "low_ceiling": ("Is the ceiling above me low?", "Is the ceiling low here?"),
    "large_room": ("Am I in a large room?", "Are we in a large room?"),
    "door_state": (
        "Is the door in front of me open or closed?",
        "Is the door I am facing open or closed?",
    ),
    "door_passable": (
        "Can I walk through the door right now?",
        "Can I go through the door without opening it?",
    ),
    "door_open_check": ("Does the door stand open?", "Has somebody left the door open?"),
    "panel_kind": (
        "Which one is on the wall, a picture or a window?",
        "What is on the wall, a picture or a window?",
        "Is the thing on the wall a picture or a window?",
    ),
}

SITUATIONS: tuple[str, ...] = (
    "I am standing at the front of the room facing the back wall.",
    "I have just come in and I am looking at the far wall.",
    "I am standing in front of the furniture and looking ahead.",
    "I am at the near end of the room looking straight ahead.",
)
DOOR_SITUATIONS: tuple[str, ...] = (
    "I am standing at the front of the room facing the door.",
    "I am at the near end of the room and the door is in front of me.",
)


def need_of(kind: str) -> Need:
    """Which sense a question kind hinges on: depth, or colour (the picture alone)."""
    return "depth" if kind in DEPTH_ANSWERS else "colour"


def slots_of(wording: str) -> tuple[str, ...]:
    """Names of the slots in a wording, in order."""
    return tuple(name for _, name, _, _ in string.Formatter().parse(wording) if name)


def _filled(wording: str) -> Iterator[str]:
    names = slots_of(wording)
    for values in itertools.product(*(SLOT_VALUES[name] for name in names)):
        yield wording.format(**dict(zip(names, values, strict=True)))


def question_corpus() -> list[str]:
    """Every question, situation and answer that the demo world can contain, sorted, each once."""
    tables = (*SCANQA_WORDINGS.values(), *SQA3D_WORDINGS.values())
    sentences = {text for table in tables for wording in table for text in _filled(wording)}
    answers = {*itertools.chain(*COLOUR_ANSWERS.values(), *DEPTH_ANSWERS.values())}
    return sorted(sentences | answers | set(SITUATIONS) | set(DOOR_SITUATIONS))
