"""How Video-MME, MVBench and MLVU put a choice to a model, as their scripts and lmms-eval do."""

from __future__ import annotations

from collections.abc import Callable

from lynx.benchmarks.avqa import CLOSING, INSTRUCTION
from lynx.demo.choice import LETTERS, Choice


def videomme_prompt(choice: Choice) -> str:
    """Video-MME's; the options carry their letters, and subtitles are spoken of without any."""
    options = [f"{letter}. {text}" for letter, text in zip(LETTERS, choice.options, strict=True)]
    return "\n".join([INSTRUCTION, choice.question, *options, CLOSING])


def mvbench_prompt(choice: Choice) -> str:
    """MVBench's."""
    options = [f"({letter}) {text}" for letter, text in zip(LETTERS, choice.options, strict=True)]
    return "\n".join(
        [f"Question:{choice.question}", "Option:", *options, "Only give the best option.\n"]
    )


def mlvu_prompt(choice: Choice) -> str:
    """MLVU's."""
    options = [f"({letter}) {text}" for letter, text in zip(LETTERS, choice.options, strict=True)]
    instruction = INSTRUCTION.replace("the video and the subtitles", "the video")
    return "\n".join([instruction, choice.question, *options, "Answer:"])


PROMPTS: tuple[Callable[[Choice], str], ...] = (videomme_prompt, mvbench_prompt, mlvu_prompt)
