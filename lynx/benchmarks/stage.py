"""Stage `data`: raw annotation to validated sample tables, one per split that a run reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lynx.benchmarks import get_benchmark
from lynx.benchmarks.annotation import Annotation
from lynx.benchmarks.sample import Sample, read_samples, write_samples
from lynx.benchmarks.scenes import require_scenes
from lynx.benchmarks.splits import apart, first_at, place_of, require_unseen
from lynx.config.slices import data_slice
from lynx.errors import InputError
from lynx.media.clip_table import write_clip_table
from lynx.project import Project, StageRun


def run_data(project: Project, name: str) -> None:
    """Read, check and publish the sample tables of one benchmark."""
    experiment, layout = project.experiment, project.layout
    benchmark, world = get_benchmark(name), experiment.world_of(name)
    budget = experiment.benchmarks[name].allow_missing
    parents = [("world", layout.world(world))] if world else []
    run = StageRun.prepare(
        project, "data", layout.data(name), data_slice(experiment, name), parents
    )
    with run.publish() as draft:
        read: dict[str, Annotation] = {}
        for split in experiment.splits_used(name):
            # What is scored has one denominator, all annotated items: none of them is left out.
            allowed = budget if experiment.is_training(name, split) else 0.0
            annotation = benchmark.read(project.annotations_root(name), split, allowed)
            _require_samples(annotation, split)
            if not annotation.clip_files:
                require_scenes(annotation.samples, project.clips_root(name))
            read[split] = annotation
        train = experiment.training_split(name)
        if experiment.is_training(name, train):
            read = apart(read, train, budget)
        for split, annotation in read.items():
            write_samples(draft.folder / f"{split}.jsonl", annotation.samples)
            draft.counts[f"{split} kept"] = len(annotation.samples)
            for reason, count in annotation.dropped.items():
                draft.counts[f"{split} dropped: {reason}"] = count
        files = {clip: names for each in read.values() for clip, names in each.clip_files.items()}
        bounds = {clip: part for each in read.values() for clip, part in each.clip_bounds.items()}
        if files:
            write_clip_table(draft.folder, files, bounds)


def _require_samples(annotation: Annotation, split: str) -> None:
    if not annotation.samples:
        raise InputError(
            f"{annotation.files[0]}: found no question of the split {split!r}, expected at least "
            "one; use the file as published"
        )


def unique_clips(tables: Iterable[list[Sample]]) -> list[str]:
    """Clip ids in the order in which the annotations first name them."""
    return list(dict.fromkeys(sample.clip for table in tables for sample in table))


def training_clips(project: Project, sources: Sequence[str]) -> list[tuple[str, str]]:
    """(source, clip) of the sources' training splits (architecture, rule 6: train on train).

    A scene that several benchmarks of a group ask about is taken once, from the first of them;
    benchmarks with files of their own have clips of their own. A scene that one of them trains on
    and another one scores is left out.
    """
    found: dict[tuple[Path, str], tuple[str, str]] = {}
    for name in sources:
        split = project.experiment.training_split(name)
        scored = _scored_beside(project, name, sources)
        for clip in unique_clips([read_split(project, name, split)]):
            if place_of(clip) not in scored:
                found.setdefault((project.clips_root(name), clip), (name, clip))
    return list(found.values())


def _scored_beside(project: Project, benchmark: str, sources: Iterable[str]) -> set[str]:
    """Places that others of the sources score, among clips that lie where the benchmark's do."""
    experiment = project.experiment
    return {
        place
        for name in _beside(project, benchmark, sources)
        for split in experiment.splits_used(name)
        if not experiment.is_training(name, split)
        for place in first_at(read_split(project, name, split))
    }


def _beside(project: Project, benchmark: str, sources: Iterable[str]) -> list[str]:
    """The other benchmarks whose clips are the same files: below another root they are others."""
    root = project.clips_root(benchmark)
    names = (name for name in dict.fromkeys(sources) if name != benchmark)
    return [name for name in names if project.clips_root(name) == root]


def require_held_out(
    project: Project, benchmark: str, split: str, met: Iterable[Sequence[str]]
) -> None:
    """Refuse a scored split with a place that stages 1 to 3 met (architecture, rule 6).

    `met` are the sources of each of them. A benchmark's own training split is compared by stage
    `data`; of other ones, clips that lie where the benchmark's do are compared.

    Raises:
        InputError: a scored question is about a place that is trained on.
    """
    for sources in dict.fromkeys(map(tuple, met)):
        beside = _beside(project, benchmark, sources)
        if beside:
            clips = training_clips(project, sources)
            trained = [(name, clip) for name, clip in clips if name in beside]
            require_unseen(trained, read_split(project, benchmark, split), benchmark, split)


def group_clips(project: Project, group: str) -> list[str]:
    """Clips of every split that any benchmark of a frames artefact reads."""
    return unique_clips(
        read_split(project, name, split)
        for name in project.experiment.framed(group)
        for split in project.experiment.splits_used(name)
    )


def read_split(project: Project, benchmark: str, split: str) -> list[Sample]:
    """The published sample table of one split."""
    return read_samples(project.layout.data(benchmark) / f"{split}.jsonl")
