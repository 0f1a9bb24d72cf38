"""What a run took and was made by: the cost of every artefact behind it, the parameters trained for
it, and the references and adapters themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lynx.artifacts.cost import COST, Cost
from lynx.artifacts.manifest import Manifest, ParentEntry, named, read_manifest
from lynx.artifacts.verify import require_recorded, require_same

PARAMETERS = "parameters"
"""Under which of a manifest's facts the trained parameters stand, by role."""

TOKEN_STAGES = ("reference", "align", "sft")
VIDEOS = "videos"
"""Under which of a reference's counts stands how many videos it is of."""


@dataclass(frozen=True)
class Lineage:
    """Costs by the folder of what was made, trained parameters by role, and by folder the hash of
    what decides the tokens: adapters, and references with the number of videos that they are of.
    """

    cost: dict[str, dict[str, object]]
    parameters: dict[str, int]
    artefacts: dict[str, dict[str, object]]


def lineage(root: Path, folder: Path) -> Lineage:
    """Gather the cost of the artefact at `folder`, below the root, and of all behind it.

    Raises InputError for a parent that is absent or is not the one that its child was made from.
    """
    cost: dict[str, dict[str, object]] = {}
    parameters: dict[str, int] = {}
    artefacts: dict[str, dict[str, object]] = {}
    for path, each in _ancestry(root, folder, read_manifest(folder), {}):
        if COST in each.facts:
            spent = Cost.model_validate(each.facts[COST]).model_dump()
            device = each.environment["device"]
            cost[path.as_posix()] = {"stage": each.stage, **spent, "device": device}
        if each.stage in TOKEN_STAGES:
            videos = {VIDEOS: each.counts[VIDEOS]} if VIDEOS in each.counts else {}
            artefacts[path.as_posix()] = {"stage": each.stage, "content": each.content, **videos}
        trained = each.facts.get(PARAMETERS, {})
        assert isinstance(trained, dict)  # written by align and sft
        parameters |= trained
    return Lineage(
        dict(sorted(cost.items())),
        dict(sorted(parameters.items())),
        dict(sorted(artefacts.items())),
    )


def aligned_with(root: Path, folder: Path, manifest: Manifest) -> Iterator[ParentEntry]:
    """The alignments behind the features that a language adapter was trained on.

    `folder` and `manifest` are the adapter's. Raises InputError for features or an alignment that
    are absent or were made anew since: their X is not what the adapter has learned to read.
    """
    for entry in manifest.parents:
        if entry.stage == "features":
            features = require_recorded(root, folder, entry)
            for align in features.parents:
                if align.stage == "align":
                    require_recorded(root, root / entry.path, align)
                    yield align


def _ancestry(
    root: Path, folder: Path, manifest: Manifest, seen: dict[str, ParentEntry]
) -> Iterator[tuple[Path, Manifest]]:
    """Each artefact once, by its path below the root; each child's own word of it is compared."""
    yield folder.relative_to(root), manifest
    for entry in manifest.parents:
        if entry.path in seen:
            require_same(folder, entry, seen[entry.path])
            continue
        parent = require_recorded(root, folder, entry)
        seen[entry.path] = named(root / entry.path, parent)
        yield from _ancestry(root, root / entry.path, parent, seen)
