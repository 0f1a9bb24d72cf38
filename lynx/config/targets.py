"""Named targets: the published commands by name (`align_avqa`, `sft_avqa`, `eval_avqa`, ...).

Each stands for artefacts of the configured scale and seed, so that the size that the published
scripts carry in their names is configuration here.
"""

from __future__ import annotations

from pathlib import Path

from lynx.config.experiment import MAIN_VARIANT, Experiment
from lynx.config.layout import Layout, manifest


def named_targets(experiment: Experiment) -> dict[str, list[str]]:
    """Target -> files.

    `align_`, `sft_` and `eval_` of each configured benchmark; of each benchmark that others are
    trained on, whose `eval_` is all of theirs; and `align_` of each of their groups, which is one
    alignment, or several where benchmarks of a group have their own.
    """
    layout, seed = Layout(Path(), experiment.scale_name), experiment.main.seed
    targets: dict[str, list[str]] = {}
    for name in experiment.recipes:
        align = manifest(layout.align(experiment.align_names[name], seed))
        sft = manifest(layout.sft(MAIN_VARIANT, experiment.trainer_of(name), seed))
        for each in dict.fromkeys((name, experiment.trainer_of(name))):
            targets[f"align_{each}"], targets[f"sft_{each}"] = [align], [sft]
            scored = targets.setdefault(f"eval_{each}", [])
            scored.append(str(layout.metrics(MAIN_VARIANT, name, seed)))
    grouped: dict[str, list[str]] = {}
    for name in experiment.recipes:
        aligned = grouped.setdefault(f"align_{experiment.benchmarks[name].group}", [])
        aligned += [file for file in targets[f"align_{name}"] if file not in aligned]
    return grouped | targets
