"""What a run took: the cost of every artefact behind it and the parameters trained for it."""

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


@dataclass(frozen=True)
class Lineage:
    """Costs by the folder of what was made, and trained parameters by role."""

    cost: dict[str, dict[str, object]]
    parameters: dict[str, int]


def lineage(root: Path, folder: Path) -> Lineage:
    """Gather the cost of the artefact at `folder`, below the root, and of all behind it.

    Raises InputError for a parent that is absent or is not the one that its child was made from.
    """
    cost: dict[str, dict[str, object]] = {}
    parameters: dict[str, int] = {}
    for path, each in _ancestry(root, folder, set()):
        if COST in each.facts:
            spent = Cost.model_validate(each.facts[COST]).model_dump()
            device = each.environment["device"]
            cost[path.as_posix()] = {"stage": each.stage, **spent, "device": device}
        trained = each.facts.get(PARAMETERS, {})
        assert isinstance(trained, dict)  # written by align and sft
        parameters |= trained
    return Lineage(dict(sorted(cost.items())), dict(sorted(parameters.items())))


def _ancestry(root: Path, folder: Path, seen: set[str]) -> Iterator[tuple[Path, Manifest]]:
    """Each artefact once, by its path below the root."""
    manifest = read_manifest(folder)
    yield folder.relative_to(root), manifest
    for entry in manifest.parents:
        if entry.path in seen:
            continue
        seen.add(entry.path)
        found = parent_entry(root / entry.path)
        if (found.identity, found.content) != (entry.identity, entry.content):
            raise InputError(other_parent(folder, entry, found))
        yield from _ancestry(root, root / entry.path, seen)
