"""Questions about a scene: which are asked, in which words, and their reference answers.

What is asked never depends on the hidden facts, except that a yes/no question whose "yes" belongs
to one size class out of three is thinned out in the other two, so that both answers are equally
frequent. Of colour kinds a scene is asked those of a random draw that apply to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from lynx.demo.world.colour_facts import COLOUR_FACTS
from lynx.demo.world.depth_facts import DEPTH_FACTS
from lynx.demo.world.fact import Fact
from lynx.demo.world.scene import Scene, stream
from lynx.demo.world.wording import (
    DOOR_SITUATIONS,
    SCANQA_WORDINGS,
    SITUATIONS,
    SQA3D_WORDINGS,
    Need,
    Wordings,
    need_of,
)

_SCANQA_STREAM, _SQA3D_STREAM = 2, 3
_T = TypeVar("_T")

SCANQA_COLOUR_QUESTIONS = 5
SQA3D_COLOUR_QUESTIONS = 4

# In SQA3D a scene is asked one kind of each group. The kinds take turns from block to block of
# scenes, so that each is asked of whole blocks, in which the hidden facts are balanced.
_SQA3D_DEPTH_GROUPS: tuple[tuple[str, ...], ...] = (
    ("room_size", "wall_steps"),
    ("object_height", "object_reach"),
    ("large_room", "low_ceiling"),
    ("door_state", "door_passable", "door_open_check"),
    ("panel_kind",),
)


@dataclass(frozen=True)
class Question:
    """One question: `answers` are the accepted references, the preferred one first.

    `objects` are the names of what it is about; `situation` holds SQA3D's text and its two
    alternatives and is empty for ScanQA.
    """

    kind: str
    text: str
    answers: tuple[str, ...]
    objects: tuple[str, ...]
    situation: tuple[str, ...] = ()

    @property
    def needs(self) -> Need:
        """Which sense the answer hinges on."""
        return need_of(self.kind)


_FACTS: Mapping[str, Callable[[Scene, np.random.Generator], Fact | None]] = {
    **COLOUR_FACTS,
    **DEPTH_FACTS,
}


def scanqa_questions(scene: Scene) -> tuple[Question, ...]:
    """The scene's questions in ScanQA's form: about five of each need, with several references."""
    rng = stream(scene.seed, _SCANQA_STREAM, scene.index)
    colour = [kind for kind in SCANQA_WORDINGS if need_of(kind) == "colour"]
    depth = [kind for kind in SCANQA_WORDINGS if need_of(kind) == "depth"]
    chosen = _shuffled(rng, colour)[:SCANQA_COLOUR_QUESTIONS]
    return tuple(_ask(scene, [*chosen, *depth], SCANQA_WORDINGS, rng))


def sqa3d_questions(scene: Scene) -> tuple[Question, ...]:
    """The scene's questions in SQA3D's form: about four of each need, one answer, a situation."""
    rng = stream(scene.seed, _SQA3D_STREAM, scene.index)
    colour = [kind for kind in SQA3D_WORDINGS if need_of(kind) == "colour"]
    depth = [group[scene.block % len(group)] for group in _SQA3D_DEPTH_GROUPS]
    chosen = _shuffled(rng, colour)[:SQA3D_COLOUR_QUESTIONS]
    asked = _ask(scene, [*chosen, *depth], SQA3D_WORDINGS, rng)
    situations = [*SITUATIONS, *(DOOR_SITUATIONS if scene.door else ())]
    return tuple(
        Question(q.kind, q.text, q.answers[:1], q.objects, tuple(_shuffled(rng, situations)[:3]))
        for q in asked
    )


def _shuffled(rng: np.random.Generator, items: Sequence[_T]) -> list[_T]:
    return [items[i] for i in rng.permutation(len(items))]


def _ask(
    scene: Scene, kinds: Sequence[str], wordings: Wordings, rng: np.random.Generator
) -> list[Question]:
    """Put the kinds that apply to the scene into words; one wording each, drawn at random."""
    questions = []
    for kind in kinds:
        fact = _FACTS[kind](scene, rng)
        wording = wordings[kind][int(rng.integers(len(wordings[kind])))]
        if fact is not None:
            text = wording.format(**fact.slots)
            questions.append(Question(kind, text, fact.answers, fact.objects))
    return questions
