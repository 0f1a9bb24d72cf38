"""A copy of the project in another folder, with a tiny world, a tiny random base and few steps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lynx.config.streams import stream_folder
from lynx.project import Project

ROOT = Path(__file__).parents[1]
COPIED = ("config", "workflow", "profiles", "envs")
BASE_SIDE = {"grid": 7, "patch": 8}  # the demo's frames are 56 pixels wide
WORLD = {"seed": 7, "train_scenes": 6, "val_scenes": 2, "test_scenes": 3, "frames_per_scene": 4}
FAMILY = ["scanqa", "sqa3d"]  # what the world is of
LORA = {"rank": 2, "alpha": 4, "dropout": 0.05}
OVERRIDES: dict[str, object] = {
    "frames.per_scene": 4,
    "reference.frames_per_clip": 4,
    "reference.max_clips": 8,
    "align.lora": LORA,
    "align.optimizer.epochs": 1,
    "align.optimizer.batch": 4,
    "align.optimizer.micro_batch": 2,
    "sft.view.frames": 2,
    "sft.questions_per_clip": 2,
    "sft.lora": LORA,
    "sft.optimizer.epochs": 1,
    "sft.optimizer.batch": 8,
    "sft.optimizer.micro_batch": 4,
    "evaluate.view.frames": 2,
    "evaluate.max_new_tokens": 4,
    "evaluate.questions_per_batch": 4,
}


def copy_tree(root: Path) -> Path:
    """What a run needs besides the package: configuration, workflow, profiles and their links."""
    root.mkdir(parents=True)
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "Snakefile", root)
    for name in ("local", "slurm"):
        if (ROOT / name).is_symlink():
            (root / name).symlink_to((ROOT / name).readlink())
    return root


def clone(target: Path) -> Path:
    """Every file that git would ship, as it stands in this tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, copy = ROOT / name, target / name
        if not source.exists() and not source.is_symlink():
            continue  # deleted, but not yet committed so
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy, follow_symlinks=False)
    return target


def tiny_project(root: Path) -> Path:
    """A project whose every stage takes a second; nothing of it has been run."""
    from tests.tiny_base import write_tiny_base  # imports torch

    copy_tree(root)
    edit_yaml(root / "config/scales/demo.yaml", {"worlds": {"rooms": WORLD}})
    edit_yaml(root / "config/config.yaml", {"overrides": OVERRIDES, "benchmarks": FAMILY})
    edit_yaml(
        root / "config/site.yaml", {"device": "cpu", "threads": 1, "workers": 1, "zero": None}
    )
    write_tiny_base(root / "models/demo", **BASE_SIDE)
    return root


def two_group_project(root: Path) -> Path:
    """ScanQA in group 3d, SQA3D in a group that nothing runs of; their reference clips differ."""
    tiny_project(root)
    path = root / "config/recipes/demo.yaml"
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    for section in ("frames", "reference", "align"):
        own = recipe[section]["3d"]["demo"]
        recipe[section]["other"] = {"demo": {**own}}
    for group, source, frames in (("3d", "scanqa", 4), ("other", "sqa3d", 2)):
        recipe["align"][group]["demo"]["sources"] = [source]
        recipe["reference"][group]["demo"] |= {"sources": [source], "frames_per_clip": frames}
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    edit_yaml(root / "config/benchmarks/sqa3d.yaml", {"group": "other"})
    overrides = {key: item for key, item in OVERRIDES.items() if "frames_per_clip" not in key}
    edit_yaml(root / "config/config.yaml", {"overrides": overrides, "benchmarks": ["scanqa"]})
    return root


def edit_yaml(path: Path, changes: Mapping[str, object]) -> None:
    """Replace top-level keys of a configuration file that holds no anchors."""
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**data, **changes}, sort_keys=False), encoding="utf-8")


def copy_project(source: Path, target: Path) -> Path:
    """A run project that a test may spoil."""
    return Path(shutil.copytree(source, target, symlinks=True))


def load(root: Path, **overrides: object) -> Project:
    """The project at a root, with keys of the main configuration set."""
    return Project.load(root, [], overrides)


def run_chain(root: Path, variants: Sequence[str] = ("lynx",), **overrides: object) -> Project:
    """Every stage up to the features and runs of ScanQA, in this process."""
    from lynx.align.stage import run_align, run_reference
    from lynx.evaluate.stage import run_predict
    from lynx.sft.stage import run_sft

    project = prepare(root, **overrides)
    run_reference(project, "3d")
    for name in dict.fromkeys(project.experiment.align_name(each, "scanqa") for each in variants):
        run_align(project, name)
    for variant in variants:
        encode(project, variant)
        if project.experiment.variants[variant].sft:
            run_sft(project, variant, "scanqa")
        run_predict(project, variant, "scanqa")
    return project


def prepare(root: Path, **overrides: object) -> Project:
    """World, base, tables and frames."""
    from lynx.benchmarks.stage import group_clips, run_data
    from lynx.demo.stage import run_world
    from lynx.media.stage import run_frames
    from lynx.model.stage import run_base

    project = load(root, **overrides)
    run_world(project, "rooms")
    run_base(project)
    for benchmark in project.experiment.main.benchmarks:
        run_data(project, benchmark)
    run_frames(project, "3d", group_clips(project, "3d"))
    return project


def run_two_groups(project: Project) -> None:
    """Every stage of `two_group_project` up to the references."""
    from lynx.align.stage import run_reference
    from lynx.benchmarks.stage import group_clips, run_data
    from lynx.demo.stage import run_world
    from lynx.media.stage import run_frames
    from lynx.model.stage import run_base

    run_world(project, "rooms")
    run_base(project)
    for benchmark, group in {"scanqa": "3d", "sqa3d": "other"}.items():
        run_data(project, benchmark)
        run_frames(project, group, group_clips(project, group))
        run_reference(project, group)


def encode(project: Project, variant: str) -> None:
    """The streams of ScanQA that a variant reads."""
    from lynx.features.stage import run_features

    experiment, layout = project.experiment, project.layout
    for split in experiment.splits_used("scanqa"):
        for stream in experiment.variants[variant].streams:
            if not stream_folder(experiment, layout, variant, "scanqa", split, stream).exists():
                run_features(project, "scanqa", split, stream, variant)


def environment() -> dict[str, str]:
    """The environment of a command in a copy: this interpreter, one thread, this package."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**os.environ, **threads, "PATH": path, "PYTHONPATH": str(ROOT)}


def start(root: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A `lynx` command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "lynx.cli", *arguments],
        cwd=root,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
