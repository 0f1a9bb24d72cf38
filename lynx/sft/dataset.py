"""Training samples by clip: one visual prefix serves all its questions (architecture, rule 8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lynx.benchmarks.sample import Sample

Prompt = Callable[[Sample, int], str]


@dataclass(frozen=True)
class ClipQuestions:
    """A clip and some of its samples, each a conversation of (user text, answer) turns."""

    clip: str
    conversations: tuple[tuple[tuple[str, str], ...], ...]


def conversation(sample: Sample, prompt: Prompt) -> tuple[tuple[str, str], ...]:
    """All turns of a sample in the benchmark's own prompt."""
    return tuple((prompt(sample, index), turn.answer) for index, turn in enumerate(sample.turns))


def group_by_clip(
    samples: Sequence[Sample], prompt: Prompt, questions_per_clip: int
) -> list[ClipQuestions]:
    """Cut each clip's samples, in table order, into groups of at most `questions_per_clip`."""
    by_clip: dict[str, list[tuple[tuple[str, str], ...]]] = {}
    for sample in samples:
        by_clip.setdefault(sample.clip, []).append(conversation(sample, prompt))
    return [
        ClipQuestions(clip, tuple(items[start : start + questions_per_clip]))
        for clip, items in by_clip.items()
        for start in range(0, len(items), questions_per_clip)
    ]
