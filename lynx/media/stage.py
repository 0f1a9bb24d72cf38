"""Stage `frames`: full-resolution scans to the evenly spaced square frames of a group's scenes."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tqdm import tqdm

from lynx.config.slices import frames_slice
from lynx.config.stages import FrameSettings
from lynx.media.paths import safe_child
from lynx.media.square_frames import PreparedScene, prepare_scene
from lynx.project import Project, StageRun

Task = tuple[Path, Path, FrameSettings]


def run_frames(project: Project, group: str, clips: list[str]) -> None:
    """Prepare every scene in `clips` and publish them as `scans/<scene>/`."""
    experiment, layout = project.experiment, project.layout
    names = experiment.group_benchmarks(group)
    (scans,) = {experiment.benchmarks[name].scans for name in names}
    run = StageRun.prepare(
        project,
        "frames",
        layout.frames(group),
        frames_slice(experiment, group),
        [("data", layout.data(name)) for name in names],
    )
    source, settings = project.scans_root(scans), experiment.group_recipe(group).frames
    with run.publish() as draft:
        tasks = [
            (safe_child(source, clip), draft.folder / "scans" / clip, settings) for clip in clips
        ]
        counts: Counter[str] = Counter()
        for scene in _prepare_all(tasks, experiment.site.workers):
            counts["scenes"] += 1
            counts["frames kept"] += scene.kept
            for reason, count in scene.dropped.items():
                counts[f"frames dropped: {reason}"] += count
        draft.counts.update(counts)


def _prepare(task: Task) -> PreparedScene:
    source, target, settings = task
    return prepare_scene(source, target, settings.per_scene, settings.size)


def _prepare_all(tasks: list[Task], workers: int) -> Iterator[PreparedScene]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        done = pool.map(_prepare, tasks, chunksize=4)
        yield from tqdm(done, total=len(tasks), desc="frames", unit="scene", mininterval=1.0)
