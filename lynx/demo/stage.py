"""Stages `world` and `train-base`: the demo's raw data, and the tiny base that ships with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from lynx.artifacts.manifest import read_manifest
from lynx.config.slices import world_slice
from lynx.demo.dialogs import export_dialogs
from lynx.demo.events import export_events
from lynx.demo.music import export_music
from lynx.demo.skills import export_skills
from lynx.demo.sounds import export_sounds
from lynx.demo.world import WorldSettings, export_world
from lynx.errors import InputError
from lynx.project import Project, StageRun
from lynx.ranks.device import device_name, pick_device

Export = Callable[[Path, WorldSettings, int], None]

EXPORTS: Mapping[str, Export] = {
    "dialogs": export_dialogs,
    "events": export_events,
    "music": export_music,
    "rooms": export_world,
    "skills": export_skills,
    "sounds": export_sounds,
}
"""Worlds by name; each writes its raw data in its benchmarks' own file layouts."""


def run_world(project: Project, name: str) -> None:
    """Render one configured world."""
    experiment = project.experiment
    world = experiment.scale.worlds.get(name)
    if world is None or name not in EXPORTS:
        known = ", ".join(sorted(set(experiment.scale.worlds) & set(EXPORTS))) or "none"
        raise InputError(
            f"config/scales/{experiment.scale_name}.yaml: found no world {name!r} among those that "
            f"can be rendered, expected one of {known}; name another, or use scale demo"
        )
    settings = WorldSettings(**world.model_dump())
    run = StageRun.prepare(
        project, "world", project.layout.world(name), world_slice(experiment, name) or {}, []
    )
    with run.publish() as draft:
        EXPORTS[name](draft.folder, settings, experiment.site.workers)
        draft.counts.update(
            train_scenes=settings.train_scenes,
            val_scenes=settings.val_scenes,
            test_scenes=settings.test_scenes,
        )


def _require_replaceable(target: Path) -> None:
    """Refuse a target that publishing would remove with what is in it, unless it is such a base."""
    if not (target.name and _is_free(target)) and not _holds_base(target):
        raise InputError(
            f"--target {target}: found something else than a base made by this command, expected "
            "one or a new or empty folder, since what is there would be removed; name another"
        )


def _is_free(target: Path) -> bool:
    return not target.exists() or (target.is_dir() and not any(target.iterdir()))


def _holds_base(target: Path) -> bool:
    try:
        return target.is_dir() and read_manifest(target).stage == "train-base"
    except InputError:
        return False


def run_train_base(project: Project, target: Path) -> None:
    """Train the tiny base of the demo from nothing and publish its folder at `target`.

    Raises InputError, before anything is trained, for a target that holds something else.
    """
    import dataclasses

    from lynx.demo.base.build import DEMO_BASE, WORLD_SEED, build_base  # imports torch

    _require_replaceable(target)
    settings: dict[str, object] = {"world_seed": WORLD_SEED, **dataclasses.asdict(DEMO_BASE)}
    run = StageRun.prepare(project, "train-base", target, settings, [], DEMO_BASE.seed)
    device = pick_device(project.experiment.site)
    with run.state() as state, run.publish(device_name(device)) as draft:
        build_base(draft.folder, state, DEMO_BASE, project.experiment.site.workers)
