"""Questions about a clip of the music world, in MUSIC-AVQA's own types and JSON.

Questions of the type Visual are answered by the pictures; all others only by the sound, since the
pictures depend on nothing that is heard. Yes and no are equally frequent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lynx.demo.music.instruments import INSTRUMENTS
from lynx.demo.music.performance import Performance
from lynx.demo.world.colour_facts import COLOUR_FACTS
from lynx.demo.world.scene import Scene, stream
from lynx.demo.world.wording import COUNT_WORDS, SCANQA_WORDINGS, SQA3D_WORDINGS

_QUESTION_STREAM = 7

# Kinds that the pictures answer, by the type under which MUSIC-AVQA would ask them.
VISUAL_KINDS = {
    "object_count": "Counting",
    "side_category": "Location",
    "door_side": "Location",
}
WORDINGS = {**SQA3D_WORDINGS, **SCANQA_WORDINGS}


@dataclass(frozen=True)
class MusicQuestion:
    """A question with `<...>` slots, their values, its type and its one answer."""

    type: tuple[str, str]
    content: str
    values: tuple[str, ...]
    answer: str

    @property
    def filled(self) -> str:
        """The question with its slots filled, left to right."""
        values = iter(self.values)
        return re.sub(r"<[^>]*>", lambda _: next(values), self.content)

    def record(self, video_id: str, question_id: int) -> dict[str, object]:
        """As it stands in MUSIC-AVQA's files, lists in strings and "anser" included."""
        return {
            "video_id": video_id,
            "question_id": question_id,
            "type": json.dumps(list(self.type)),
            "question_content": self.content,
            "templ_values": json.dumps(list(self.values)),
            "question_deleted": 0,
            "anser": self.answer,
        }


def music_questions(scene: Scene, performance: Performance) -> tuple[MusicQuestion, ...]:
    """All questions about one clip: the room that is seen, and what is heard."""
    rng = stream(scene.seed, _QUESTION_STREAM, scene.index)
    return (*_heard(performance, rng), *_seen(scene, rng))


def _heard(performance: Performance, rng: np.random.Generator) -> Iterator[MusicQuestion]:
    names = performance.names
    yield MusicQuestion(
        ("Audio", "Counting"),
        "How many musical instruments are heard in the video?",
        (),
        COUNT_WORDS[len(names)],
    )
    absent = sorted(set(INSTRUMENTS) - set(names))
    there = bool(rng.random() < 0.5)
    named = names[int(rng.integers(len(names)))] if there else absent[rng.integers(len(absent))]
    yield MusicQuestion(
        ("Audio-Visual", "Existential"),
        "Is the <Object> heard in the video?",
        (named,),
        "yes" if there else "no",
    )
    if len(names) == 1 or performance.in_turn:
        yield MusicQuestion(
            ("Audio-Visual", "Temporal"), "Which instrument is heard first?", (), names[0]
        )
        yield MusicQuestion(
            ("Audio-Visual", "Temporal"), "Which instrument is heard last?", (), names[-1]
        )
    else:
        turned = bool(rng.random() < 0.5)
        yield MusicQuestion(
            ("Audio", "Comparative"),
            "Is the <Object1> louder than the <Object2>?",
            names[::-1] if turned else names,
            "no" if turned else "yes",
        )
        yield MusicQuestion(
            ("Audio-Visual", "Comparative"), "Which instrument is the loudest?", (), names[0]
        )


def _seen(scene: Scene, rng: np.random.Generator) -> Iterator[MusicQuestion]:
    for kind, name in VISUAL_KINDS.items():
        fact = COLOUR_FACTS[kind](scene, rng)
        if fact is None:
            continue
        wordings = WORDINGS[kind]
        text = wordings[int(rng.integers(len(wordings)))].format(**fact.slots)
        yield MusicQuestion(("Visual", name), text, (), fact.answers[0])
