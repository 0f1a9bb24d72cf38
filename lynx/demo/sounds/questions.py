"""Questions about a clip with noises, in AVQA's own form.

Those of the relation Sound are answered only by what is heard, those of the relation View by the
pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lynx.benchmarks import avqa
from lynx.demo.choice import Choice, choose_among, seen_choices
from lynx.demo.sounds.noises import NOISES, Hearing
from lynx.demo.world.scene import Scene, stream

_QUESTION_STREAM = 10
SEEN_QUESTIONS = 2

SOUND, VIEW = "Sound", "View"
_TYPES = {"object_count": "Happening", "heard": "Which", "first": "Before/Next"}
_TYPES |= {"last": "Before/Next", "side_category": "Which", "door_side": "Where"}
_HEARD = {
    "heard": ("What is heard in the video?", "Which sound is in the video?"),
    "first": ("What is heard first?", "Which sound comes first?"),
    "last": ("What is heard last?", "Which sound comes last?"),
}


@dataclass(frozen=True)
class SoundQuestion:
    """A choice, and which sense it hinges on, in AVQA's word for it."""

    choice: Choice
    relation: str

    @property
    def type(self) -> str:
        """AVQA's question word."""
        return _TYPES.get(self.choice.kind, "Which")

    @property
    def prompt(self) -> str:
        """As AVQA's protocol puts it to a model."""
        return avqa.prompt(self.choice.as_sample(), 0)

    def record(self, video_name: str, number: int, question_id: int) -> dict[str, object]:
        """As it stands in AVQA's files."""
        return {
            "id": question_id,
            "video_name": video_name,
            "video_id": number,
            "question_text": self.choice.question,
            "multi_choice": list(self.choice.options),
            "answer": self.choice.right,
            "question_relation": self.relation,
            "question_type": self.type,
        }


def sound_questions(scene: Scene, hearing: Hearing) -> tuple[SoundQuestion, ...]:
    """All questions about one clip: what is heard, and the room that is seen."""
    rng = stream(scene.seed, _QUESTION_STREAM, scene.index)
    heard = [
        choose_among(kind, wordings[int(rng.integers(len(wordings)))], sorted(NOISES), name)
        for kind, name in _heard(hearing)
        for wordings in (_HEARD[kind],)
    ]
    seen = seen_choices(scene, SEEN_QUESTIONS, rng)
    return (
        *(SoundQuestion(choice, SOUND) for choice in heard),
        *(SoundQuestion(choice, VIEW) for choice in seen),
    )


def _heard(hearing: Hearing) -> Iterator[tuple[str, str]]:
    if len(hearing.names) == 1:
        yield "heard", hearing.names[0]
    else:
        yield "first", hearing.names[0]
        yield "last", hearing.names[-1]
