"""Stages `world` and `train-base`: the demo's raw data, and the tiny base that ships with it."""

from __future__ import annotations

from pathlib import Path

from lynx.demo.world import WorldSettings, export_world
from lynx.errors import InputError
from lynx.project import Project, StageRun


def run_world(project: Project) -> None:
    """Render the configured world as raw data in the benchmarks' own file layouts."""
    world = project.experiment.scale.world
    if world is None:
        raise InputError(
            f"config/scales/{project.experiment.scale_name}.yaml: world is null, so there is "
            "nothing to render; use a scale that has one, such as demo"
        )
    settings = WorldSettings(**world.model_dump())
    run = StageRun.prepare(
        project, "world", project.layout.world, world.model_dump(mode="json"), []
    )
    with run.publish() as draft:
        export_world(draft.folder, settings, project.experiment.site.workers)
        draft.counts.update(
            train_scenes=settings.train_scenes,
            val_scenes=settings.val_scenes,
            test_scenes=settings.test_scenes,
        )


def run_train_base(project: Project, target: Path) -> None:
    """Train the tiny base of the demo from nothing and publish its folder at `target`."""
    import dataclasses

    from lynx.demo.base.build import DEMO_BASE, WORLD_SEED, build_base  # imports torch
    from lynx.project import device_name, pick_device

    settings: dict[str, object] = {"world_seed": WORLD_SEED, **dataclasses.asdict(DEMO_BASE)}
    run = StageRun.prepare(project, "train-base", target, settings, [], DEMO_BASE.seed)
    device = pick_device(project)
    with run.state() as state, run.publish(device_name(device)) as draft:
        build_base(draft.folder, state, DEMO_BASE, project.experiment.site.workers)
