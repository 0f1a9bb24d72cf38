"""Stage `data`: raw annotation to validated sample tables, one per split that a run reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lynx.benchmarks import get_benchmark
from lynx.benchmarks.sample import Sample, read_samples, write_samples
from lynx.benchmarks.scenes import require_scenes
from lynx.benchmarks.splits import require_disjoint
from lynx.config.slices import data_slice
from lynx.media.clip_table import Bounds, write_clip_table
from lynx.project import Project, StageRun


def run_data(project: Project, name: str) -> None:
    """Read, check and publish the sample tables of one benchmark."""
    experiment, layout = project.experiment, project.layout
    benchmark, world = get_benchmark(name), experiment.world_of(name)
    parents = [("world", layout.world(world))] if world else []
    run = StageRun.prepare(
        project, "data", layout.data(name), data_slice(experiment, name), parents
    )
    with run.publish() as draft:
        tables: dict[str, list[Sample]] = {}
        files: dict[str, tuple[str, ...]] = {}
        bounds: dict[str, Bounds] = {}
        for split in experiment.splits_used(name):
            annotation = benchmark.read(project.annotations_root(name), split)
            if not annotation.clip_files:
                require_scenes(annotation.samples, project.clips_root(name))
            files |= annotation.clip_files
            bounds |= annotation.clip_bounds
            tables[split] = annotation.samples
            write_samples(draft.folder / f"{split}.jsonl", annotation.samples)
            draft.counts[f"{split} kept"] = len(annotation.samples)
            for reason, count in annotation.dropped.items():
                draft.counts[f"{split} dropped: {reason}"] = count
        if files:
            write_clip_table(draft.folder, files, bounds)
        train = experiment.training_split(name)
        for split, samples in tables.items():
            if train in tables and split != train:
                require_disjoint(tables[train], samples, train, split)


def unique_clips(tables: Iterable[list[Sample]]) -> list[str]:
    """Clip ids in the order in which the annotations first name them."""
    return list(dict.fromkeys(sample.clip for table in tables for sample in table))


def training_clips(project: Project, sources: Sequence[str]) -> list[tuple[str, str]]:
    """(source, clip) of the sources' training splits (design, rule 6: train on train).

    A scene that several benchmarks of a group ask about is taken once, from the first of them;
    benchmarks with files of their own have clips of their own.
    """
    found: dict[tuple[Path, str], tuple[str, str]] = {}
    for name in sources:
        split = project.experiment.training_split(name)
        for clip in unique_clips([read_split(project, name, split)]):
            found.setdefault((project.clips_root(name), clip), (name, clip))
    return list(found.values())


def group_clips(project: Project, group: str) -> list[str]:
    """Clips of every split that any benchmark of the group reads."""
    return unique_clips(
        read_split(project, name, split)
        for name in project.experiment.group_benchmarks(group)
        for split in project.experiment.splits_used(name)
    )


def read_split(project: Project, benchmark: str, split: str) -> list[Sample]:
    """The published sample table of one split."""
    return read_samples(project.layout.data(benchmark) / f"{split}.jsonl")
