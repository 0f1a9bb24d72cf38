"""Questions about a clip with flashes: with four options, in the prompts of three benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lynx.demo.choice import COUNTS, Choice, choose_among, seen_choices
from lynx.demo.events.happening import FLASH_COLOURS, Flash
from lynx.demo.world.scene import Scene, stream

_QUESTION_STREAM = 14
SEEN_QUESTIONS = 3

_WORDINGS = {
    "flash_colour": ("What color does the light flash?", "In which color does the light flash?"),
    "flash_first": ("What color does the light flash first?",),
    "flash_last": ("What color does the light flash last?",),
    "flash_count": ("How many times does the light flash?",),
}
FLASH_KINDS = tuple(_WORDINGS)


def flash_choices(scene: Scene, seen: Sequence[Flash]) -> tuple[Choice, ...]:
    """What only dense frames show."""
    rng = stream(scene.seed, _QUESTION_STREAM, scene.index)
    found = []
    for kind, options, answer in _flash_facts(seen):
        wordings = _WORDINGS[kind]
        text = wordings[int(rng.integers(len(wordings)))]
        found.append(choose_among(kind, text, options, answer))
    return tuple(found)


def _flash_facts(seen: Sequence[Flash]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    if len(seen) == 1:
        yield "flash_colour", FLASH_COLOURS, seen[0].colour
    else:
        yield "flash_first", FLASH_COLOURS, seen[0].colour
        yield "flash_last", FLASH_COLOURS, seen[-1].colour
    yield "flash_count", COUNTS, COUNTS[len(seen) - 1]


def still_choices(scene: Scene) -> tuple[Choice, ...]:
    """What any frame shows."""
    rng = stream(scene.seed, _QUESTION_STREAM, 1_000_000 + scene.index)
    return tuple(seen_choices(scene, SEEN_QUESTIONS, rng))
