"""How Video-MME, MVBench and MLVU put a choice to a model."""

from __future__ import annotations

from lynx.benchmarks import mlvu, mvbench, videomme
from lynx.benchmarks.sample import Sample, Turn
from lynx.demo.choice import Choice


def choice_prompts(choice: Choice) -> tuple[str, str, str]:
    """The choice in the prompt of each benchmark."""
    turn = Turn(question=choice.question, answer=choice.letter)
    sample = Sample(id="0", clip="0", turns=(turn,), references=(), options=choice.options)
    return videomme.prompt(sample, 0), mvbench.prompt(sample, 0), mlvu.prompt(sample, 0)
