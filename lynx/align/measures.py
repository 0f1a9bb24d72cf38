"""Stages `geometry` and `stability`: the input space of the base, and its references compared.

Shape legend: F frames, T pooled tokens per frame, D language width, P the tower's image size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from lynx.align.geometry import VectorSums, geometry
from lynx.align.items import ClipItem, clip_items, open_sources, reference_pixels
from lynx.align.reference import load_reference
from lynx.align.stability import as_dicts, equal_sources, stability, summary
from lynx.artifacts.differences import not_finite
from lynx.artifacts.environment import package_versions
from lynx.artifacts.manifest import Manifest, parent_entry
from lynx.artifacts.publish import write_atomic
from lynx.artifacts.sealed import sealed_text
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.artifacts.verify import require_parent, require_settings, require_stage
from lynx.config.slices import geometry_slice, reference_slice, stability_slice
from lynx.errors import InputError
from lynx.model.base import Base
from lynx.model.configured import open_base
from lynx.model.families.llava_onevision import describe
from lynx.model.stage import require_base
from lynx.model.tower import clip_tokens
from lynx.project import Project
from lynx.ranks.device import device_name

ITEMS_PER_GROUP = 100
"""Items (one video, or one chunk of a scene) of each group whose frames are looked at. A mean over
all pairs of frames needs few clips; encoding all of them would double stage 1."""


def run_geometry(project: Project) -> None:
    """Where word embeddings and frames of the base lie; frames of what the references see.

    Every group gives as many items, spread over those that its reference may take, so that the
    largest set does not decide what a frame is. The vision adapter has no part in it.
    """
    experiment, layout = project.experiment, project.layout
    parents = {_below(project, layout.base): require_stage(layout.base, "base")}
    for group in experiment.groups:
        frames = layout.frames(group)
        parents[_below(project, frames)] = require_stage(frames, "frames")
        for source in experiment.group_recipe(group).reference.sources:
            table = layout.data(source)
            parents[_below(project, table)] = require_stage(table, "data")
    base = open_base(project, ["tower", "embedding"])
    vocabulary, frames_seen = (VectorSums.empty(base.info.text_width) for _ in range(2))
    vocabulary.add(base.embedding.weight)
    items = 0
    for group in experiment.groups:
        for vectors in _group_frames(project, base, group):
            frames_seen.add(vectors)
            items += 1
    counts = {
        "vocabulary": vocabulary.count,
        "vocabulary_zero": vocabulary.zeros,
        "frames": frames_seen.count,
        "frames_zero": frames_seen.zeros,
        "items": items,
        "groups": len(experiment.groups),
    }
    results = geometry(vocabulary, frames_seen).as_dict()
    settings = geometry_slice(experiment)
    about = {"device": device_name(base.device), "counts": counts, **results}
    _write(project, "geometry", layout.geometry, parents, settings, about)


def _group_frames(project: Project, base: Base, group: str) -> Iterator[torch.Tensor]:
    """Frames (F, D) of each chosen item of a group: the mean of a frame's pooled tokens."""
    settings = project.experiment.group_recipe(group).reference
    shelves = open_sources(project, tuple(settings.sources))
    items = clip_items(project, shelves, settings.frames_per_clip)[: settings.max_clips]
    processor = base.processor()
    for item in tqdm(spread(items), desc=f"geometry {group}", unit="clip", mininterval=1.0):
        pixels = reference_pixels(shelves, item, processor)[None].to(base.device)
        with torch.inference_mode():
            tokens = clip_tokens(base, pixels, frame_chunk=settings.frames_per_clip)
            vectors = tokens[0].double().mean(dim=1)
        yield vectors


def spread(items: Sequence[ClipItem], most: int = ITEMS_PER_GROUP) -> list[ClipItem]:
    """At most so many of the items, evenly spread over them."""
    chosen = min(most, len(items))
    return [items[place * len(items) // chosen] for place in range(chosen)]


def run_stability(project: Project) -> None:
    """How far the references of all groups differ, layer by layer; each group is one source.

    Raises InputError for a reference of another base or another recipe than the configured one.
    """
    experiment, layout = project.experiment, project.layout
    parents = {_below(project, layout.base): require_stage(layout.base, "base")}
    info, cpu = describe(require_base(project)), torch.device("cpu")
    keys: dict[str, torch.Tensor] = {}
    values: dict[str, torch.Tensor] = {}
    for group in experiment.groups:
        folder = layout.reference(group)
        manifest = require_stage(folder, "reference", deep=True)
        require_settings(folder, manifest, reference_slice(experiment, group), "a reference")
        require_parent(folder, manifest, parent_entry(layout.base))
        reference = load_reference(folder, info, cpu)
        keys[group], values[group] = reference.keys, reference.values
        parents[_below(project, folder)] = manifest
    layers = {"keys": stability("keys", keys), "values": stability("values", values)}
    results = {
        "equal_sources": equal_sources(keys),
        # Of the covariance between the sources: the unbiased one.
        "counts": {"sources": len(keys), "divisor": len(keys) - 1},
        "summary": {name: summary(each) for name, each in layers.items()},
        "layers": {name: as_dicts(each) for name, each in layers.items()},
    }
    settings = stability_slice(experiment)
    _write(project, "stability", layout.stability, parents, settings, results)


def _below(project: Project, folder: Path) -> str:
    """A folder as manifests name it: from the project's root."""
    return folder.relative_to(project.layout.root).as_posix()


def _write(
    project: Project,
    stage: str,
    path: Path,
    parents: Mapping[str, Manifest],
    settings: Mapping[str, object],
    results: Mapping[str, object],
) -> None:
    """Write a result with what it was made from; the base is among the parents, and named alone.

    Raises InputError for a number that is not finite.
    """
    base = _below(project, project.layout.base)
    report = {
        "stage": stage,
        "scale": project.experiment.scale_name,
        "synthetic": project.experiment.synthetic,
        **results,
        "base": parents[base].content,
        "parents": {name: each.content for name, each in parents.items() if name != base},
        "stage_version": STAGE_VERSIONS[stage],
        "versions": package_versions(),
        "settings": settings,
    }
    if fault := not_finite(report):
        raise InputError(
            f"{path}: {fault[0]} would be {fault[1]}, expected a finite number; check the weights "
            "of the base model and the references made with it"
        )
    write_atomic(path, sealed_text(report))
