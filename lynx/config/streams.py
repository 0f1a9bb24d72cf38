"""Where the token streams of a variant lie, and the vision adapter that reads its X."""

from __future__ import annotations

from pathlib import Path

from lynx.config.experiment import Experiment
from lynx.config.files import Stream
from lynx.config.layout import Layout
from lynx.errors import InputError


def vision_parent(
    experiment: Experiment, layout: Layout, variant: str, benchmark: str
) -> tuple[str, Path]:
    """Stage and folder of the artefact that holds the vision adapter of a variant.

    Raises `InputError` for a variant that has none.
    """
    x, seed = experiment.variants[variant].x, experiment.main.seed
    if x == "joint":
        return "sft", layout.sft(variant, experiment.trainer_of(benchmark), seed)
    if x != "aligned":
        raise InputError(
            f"variant '{variant}' has no vision adapter; config/variants.yaml says x: {x}"
        )
    return "align", layout.align(experiment.align_name(variant, benchmark), seed)


def stream_folder(
    experiment: Experiment, layout: Layout, variant: str, benchmark: str, split: str, stream: Stream
) -> Path:
    """A stored stream: variants share it unless another vision adapter reads their X."""
    own = stream == "aligned" and experiment.has_own_vision(variant, benchmark)
    seed = experiment.main.seed
    return layout.features(benchmark, split, stream, seed, variant if own else None)
