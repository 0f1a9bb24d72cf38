"""Stage `frames`: what a group's clips are read from, checked and prepared.

Posed RGB-D scenes become evenly spaced square frames; video files stay where they are and are
listed with what is in them.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

from lynx.artifacts.publish import Draft
from lynx.config.slices import frames_slice
from lynx.config.stages import RgbdFrames, VideoFiles
from lynx.media.clip_table import ShownBy, read_clip_table
from lynx.media.inventory import InspectedClip, inspect_clip, require_budgets, write_inventory
from lynx.media.paths import safe_child
from lynx.media.square_frames import PreparedScene, prepare_scene
from lynx.processes import in_processes
from lynx.project import Project, StageRun


def run_frames(project: Project, group: str, clips: list[str]) -> None:
    """Prepare the clips of a frames artefact (`Experiment.frames_of`) and publish them."""
    experiment, layout = project.experiment, project.layout
    names = experiment.framed(group)
    run = StageRun.prepare(
        project,
        "frames",
        layout.frames(group),
        frames_slice(experiment, group),
        [("data", layout.data(name)) for name in names],
    )
    settings = experiment.frame_settings(group)
    with run.publish() as draft:
        if isinstance(settings, RgbdFrames):
            _publish_scenes(project, names, clips, settings, draft)
        else:
            others = experiment.other_views(group)
            _publish_videos(project, names, settings, others, draft)


def _publish_scenes(
    project: Project, names: list[str], clips: list[str], settings: RgbdFrames, draft: Draft
) -> None:
    (source,) = {project.clips_root(name) for name in names}
    tasks = [(safe_child(source, clip), draft.folder / "scans" / clip) for clip in clips]
    counts: Counter[str] = Counter()
    prepare, workers = partial(_prepare, settings), project.experiment.site.workers
    for scene in in_processes(prepare, tasks, workers, desc="frames", unit="scene"):
        counts["scenes"] += 1
        counts["frames kept"] += scene.kept
        for reason, count in scene.dropped.items():
            counts[f"frames dropped: {reason}"] += count
    draft.counts.update(counts)


def _prepare(settings: RgbdFrames, task: tuple[Path, Path]) -> PreparedScene:
    source, target = task
    return prepare_scene(source, target, settings.per_scene, settings.size)


def _publish_videos(
    project: Project, names: list[str], settings: VideoFiles, other_views: int, draft: Draft
) -> None:
    workers = project.experiment.site.workers
    inspect = partial(_inspect, settings.audio, other_views)
    for name in names:
        root, files = project.clips_root(name), read_clip_table(project.layout.data(name))
        tasks = [(root, clip, shown) for clip, shown in files.items()]
        inspected = list(in_processes(inspect, tasks, workers, desc="frames", unit="video"))
        counts = require_budgets(inspected, settings.allow_missing, settings.allow_unheard)
        draft.counts.update({f"{name} {kind}": count for kind, count in counts.items()})
        write_inventory(draft.folder, name, inspected)


def _inspect(heard: bool, other_views: int, task: tuple[Path, str, ShownBy]) -> InspectedClip:
    root, clip, shown = task
    return inspect_clip(root, clip, shown.files, heard, shown.bounds, other_views)
