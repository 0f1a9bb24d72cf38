"""How Video-MME, MVBench and MLVU put a choice to a model."""

from __future__ import annotations

from lynx.benchmarks import mlvu, mvbench, videomme
from lynx.demo.choice import Choice


def choice_prompts(choice: Choice) -> tuple[str, str, str]:
    """The choice in the prompt of each benchmark."""
    sample = choice.as_sample()
    return videomme.prompt(sample, 0), mvbench.prompt(sample, 0), mlvu.prompt(sample, 0)
