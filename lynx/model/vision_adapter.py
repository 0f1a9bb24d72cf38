"""The published vision adapter of a variant, checked against the recipe before it is used."""

from __future__ import annotations

from pathlib import Path

from lynx.artifacts.manifest import parent_entry
from lynx.artifacts.verify import require_parent, require_stage
from lynx.config.slices import align_slice, sft_slice
from lynx.config.stages import LoraSettings
from lynx.config.streams import vision_parent
from lynx.errors import InputError
from lynx.model.adapters import load_adapter, lora_layers, read_adapter
from lynx.model.base import Base
from lynx.project import Project

ADAPTER_FOLDER = "vision"


def attach_vision(project: Project, base: Base, variant: str, benchmark: str) -> None:
    """Load a variant's adapter onto the tower, frozen; refuse what `require_vision` refuses."""
    if lora_layers(base, "vision"):
        return
    load_adapter(base, "vision", require_vision(project, variant, benchmark))


def require_vision(project: Project, variant: str, benchmark: str) -> Path:
    """The folder of a variant's published vision adapter.

    Raises InputError if it is absent, damaged, or of another rank, base or recipe.
    """
    experiment, layout = project.experiment, project.layout
    stage, folder = vision_parent(experiment, layout, variant, benchmark)
    manifest = require_stage(folder, stage, deep=True)
    if stage == "align":
        expected = align_slice(experiment, experiment.align_name(variant, benchmark))
    else:
        expected = sft_slice(experiment, variant, benchmark)
    require_settings(folder, manifest.settings, expected)
    require_parent(folder, manifest, parent_entry(layout.base))
    require_rank(folder / ADAPTER_FOLDER, experiment.vision_lora(variant, benchmark))
    return folder / ADAPTER_FOLDER


def require_settings(folder: Path, found: dict[str, object], expected: dict[str, object]) -> None:
    """An adapter must have been trained with the settings that the recipe now states."""
    if found != expected:
        keys = sorted(key for key in expected if found.get(key) != expected[key])
        raise InputError(
            f"{folder}: an adapter of another recipe ({', '.join(keys)} differ); "
            "run its rule again or restore the recipe"
        )


def require_rank(folder: Path, expected: LoraSettings) -> None:
    """Compare an adapter's own rank and alpha with the recipe's."""
    found, _ = read_adapter(folder)
    if (found.rank, found.alpha) != (expected.rank, expected.alpha):
        raise InputError(
            f"{folder}: rank {found.rank} and alpha {found.alpha} found, rank {expected.rank} and "
            f"alpha {expected.alpha} expected from the recipe; run its rule again"
        )
