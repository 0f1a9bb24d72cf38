"""What the tiny base reads about its rooms: the questions of every rendered world.

Those that the pictures answer are learned. Of those that another sense answers the words are
learned, and that the pictures do not tell: the base can only guess, and only X can teach it more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lynx.demo.choice import Choice
from lynx.demo.dialogs.talk import Said, conversations
from lynx.demo.events.happening import flashes
from lynx.demo.events.prompts import choice_prompts
from lynx.demo.events.questions import flash_choices, still_choices
from lynx.demo.music.performance import perform
from lynx.demo.music.questions import music_questions
from lynx.demo.skills.take import QUESTION, skill_take
from lynx.demo.sounds.noises import hear
from lynx.demo.sounds.questions import SOUND, sound_questions
from lynx.demo.world import build_scene
from lynx.demo.world.questions import scanqa_questions, sqa3d_questions
from lynx.demo.world.scene import Scene, stream

Pool = Literal["open", "choice", "dialog", "guess"]
POOLS: tuple[Pool, ...] = ("open", "choice", "dialog", "guess")
"""Answered freely, by a letter, in a conversation; and what can only be guessed."""

_PROMPT_STREAM = 16


@dataclass(frozen=True)
class Text:
    """A conversation whose last answer counts, with its accepted answers (the preferred one first).

    `needs` is the sense that the last answer hinges on, `kind` what it is about.
    """

    turns: tuple[tuple[str, str], ...]
    references: tuple[str, ...]
    needs: str
    kind: str
    pool: Pool


def scene_texts(seed: int, index: int) -> list[Text]:
    """All that is asked about a room, in every world's form."""
    scene = build_scene(seed, index)
    found = (_rooms(scene), _music(scene), _sounds(scene), _dialogs(scene), _events(scene))
    texts = [text for world in found for text in world]
    take = skill_take(seed, index)
    return [*texts, _asked(QUESTION, (take.label,), "view", "skill", "guess")]


def _asked(
    prompt: str, references: tuple[str, ...], needs: str, kind: str, pool: Pool = "open"
) -> Text:
    chosen: Pool = pool if needs == "colour" else "guess"
    return Text(((prompt, references[0]),), references, needs, kind, chosen)


def _rooms(scene: Scene) -> Iterator[Text]:
    for item in (*scanqa_questions(scene), *sqa3d_questions(scene)):
        prompt = " ".join([*item.situation[:1], item.text])
        yield _asked(prompt, item.answers, item.needs, item.kind)


def _music(scene: Scene) -> Iterator[Text]:
    for item in music_questions(scene, perform(scene.seed, scene.index)):
        needs = "colour" if item.type[0] == "Visual" else "sound"
        yield _asked(item.filled, (item.answer,), needs, f"music {item.type[1].lower()}")


def _sounds(scene: Scene) -> Iterator[Text]:
    for item in sound_questions(scene, hear(scene.seed, scene.index)):
        needs = "sound" if item.relation == SOUND else "colour"
        yield _choice(item.choice, item.prompt, needs)


def _events(scene: Scene) -> Iterator[Text]:
    rng = stream(scene.seed, _PROMPT_STREAM, scene.index)
    seen = flashes(scene.seed, scene.index)
    for needs, choices in (("fast", flash_choices(scene, seen)), ("colour", still_choices(scene))):
        for choice in choices:
            prompts = choice_prompts(choice)
            prompt = prompts[int(rng.integers(len(prompts)))]
            # Video-MME's blank line is nothing that a tiny model need learn.
            yield _choice(choice, prompt.replace("\n\n", "\n"), needs)


def _choice(choice: Choice, prompt: str, needs: str) -> Text:
    return _asked(prompt, (choice.letter,), needs, f"choice {choice.kind}", "choice")


def _dialogs(scene: Scene) -> Iterator[Text]:
    for said in conversations(scene, hear(scene.seed, scene.index)):
        yield _conversation(said)


def _conversation(said: tuple[Said, ...]) -> Text:
    last = said[-1]
    turns = tuple((turn.question, turn.answer) for turn in said)
    return Text(turns, (last.answer,), last.needs, f"dialog {last.kind}", "dialog")
