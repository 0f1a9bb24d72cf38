"""Questions with four answers to choose from, for the worlds whose benchmarks ask so.

Options stand in the order of the list that they are drawn from, so that a tiny model need not learn
that order means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lynx.benchmarks.sample import Sample, Turn
from lynx.demo.world.colour_facts import COLOUR_FACTS
from lynx.demo.world.furniture import CATEGORIES
from lynx.demo.world.palette import COLOURS
from lynx.demo.world.scene import Scene
from lynx.demo.world.wording import SCANQA_WORDINGS, SQA3D_WORDINGS

LETTERS = "ABCD"
COUNTS = ("one", "two", "three", "four")

# What the options of a kind are drawn from: four of them are all the options.
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "floor_colour": COLOURS,
    "wall_colour": COLOURS,
    "object_count": COUNTS,
    "side_category": CATEGORIES,
    "door_side": ("on the left", "on the right", "in the middle", "behind me"),
}
SEEN_KINDS = tuple(_OPTIONS)
_WORDINGS = {**SQA3D_WORDINGS, **SCANQA_WORDINGS}


@dataclass(frozen=True)
class Choice:
    """A question, its four options, and the place of the right one."""

    kind: str
    question: str
    options: tuple[str, ...]
    right: int

    @property
    def letter(self) -> str:
        """The letter of the right option."""
        return LETTERS[self.right]

    @property
    def answer(self) -> str:
        """The right option."""
        return self.options[self.right]

    def as_sample(self) -> Sample:
        """The choice as a benchmark's prompt takes it."""
        turn = Turn(question=self.question, answer=self.letter)
        return Sample(id="0", clip="0", turns=(turn,), references=(), options=self.options)


def choose_among(kind: str, question: str, options: Sequence[str], answer: str) -> Choice:
    """A choice whose options are given in their order."""
    return Choice(kind, question, tuple(options), tuple(options).index(answer))


def seen_choice(scene: Scene, kind: str, rng: np.random.Generator) -> Choice | None:
    """A question that the pictures of a room answer; None where it does not apply to the room."""
    fact = COLOUR_FACTS[kind](scene, rng)
    wordings = _WORDINGS[kind]
    wording = wordings[int(rng.integers(len(wordings)))]
    if fact is None:
        return None
    answer, every = fact.answers[0], _OPTIONS[kind]
    others = [item for item in every if item != answer]
    drawn = {answer, *(others[i] for i in rng.permutation(len(others))[:3])}
    options = [item for item in every if item in drawn]
    return choose_among(kind, wording.format(**fact.slots), options, answer)


def seen_choices(scene: Scene, count: int, rng: np.random.Generator) -> list[Choice]:
    """At most `count` different ones of the kinds that apply to a room."""
    drawn = [SEEN_KINDS[i] for i in rng.permutation(len(SEEN_KINDS))]
    found = [seen_choice(scene, kind, rng) for kind in drawn]
    return [choice for choice in found if choice is not None][:count]
