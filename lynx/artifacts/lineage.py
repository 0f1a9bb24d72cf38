"""What a run took: the cost of every stage behind it and the parameters that these trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lynx.artifacts.cost import COST, Cost
from lynx.artifacts.manifest import Manifest, parent_entry, read_manifest
from lynx.artifacts.verify import other_parent
from lynx.errors import InputError

PARAMETERS = "parameters"
"""Under which of a manifest's facts the trained parameters stand, by role."""


@dataclass
class StageCost:
    """All artefacts of one stage together: seconds times processes, the most memory of any."""

    artefacts: int
    process_seconds: float
    peak_memory_mb: int
    devices: tuple[str, ...]

    def add(self, cost: Cost, device: str) -> None:
        """Count one more artefact."""
        self.artefacts += 1
        self.process_seconds = round(self.process_seconds + cost.seconds * cost.processes, 1)
        self.peak_memory_mb = max(self.peak_memory_mb, cost.peak_memory_mb)
        self.devices = tuple(sorted({*self.devices, device}))


@dataclass(frozen=True)
class Lineage:
    """Costs by stage, and trained parameters by role; as a score holds them."""

    cost: dict[str, StageCost]
    parameters: dict[str, int]

    def as_dict(self) -> dict[str, object]:
        """Plain data, for JSON."""
        cost = {stage: vars(spent) for stage, spent in self.cost.items()}
        return {"cost": cost, PARAMETERS: self.parameters}


def lineage(root: Path, folder: Path) -> Lineage:
    """Sum up the artefact at `folder`, below the root, and all it was made from, each once.

    Raises InputError for a parent that is absent or is not the one that its child was made from.
    """
    cost: dict[str, StageCost] = {}
    parameters: dict[str, int] = {}
    for each in _ancestry(root, folder, set()):
        if COST in each.facts:
            spent = cost.setdefault(each.stage, StageCost(0, 0.0, 0, ()))
            spent.add(Cost.model_validate(each.facts[COST]), each.environment["device"])
        trained = each.facts.get(PARAMETERS, {})
        assert isinstance(trained, dict)  # written by align and sft
        parameters |= trained
    return Lineage(dict(sorted(cost.items())), dict(sorted(parameters.items())))


def _ancestry(root: Path, folder: Path, seen: set[str]) -> Iterator[Manifest]:
    manifest = read_manifest(folder)
    yield manifest
    for entry in manifest.parents:
        if entry.path in seen:
            continue
        seen.add(entry.path)
        found = parent_entry(root / entry.path)
        if (found.identity, found.content) != (entry.identity, entry.content):
            raise InputError(other_parent(folder, entry, found))
        yield from _ancestry(root, root / entry.path, seen)
