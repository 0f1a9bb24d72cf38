"""Write a demo world to disk: raw scans and annotations, as a user of the real data has them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lynx.demo.world.scannet_files import write_scene
from lynx.demo.world.scanqa_json import FILE_STEMS, scanqa_records
from lynx.demo.world.scene import Scene, build_scene
from lynx.demo.world.settings import SPLITS, WorldSettings
from lynx.demo.world.sqa3d_json import annotation_file_stem, question_file_stem, sqa3d_records
from lynx.demo.world_files import write_json, write_readme
from lynx.errors import InputError
from lynx.processes import in_processes

_ABOUT = """\
- `scannet/scans/<scene>/`: ScanNet's export layout. Colour is 80 x 60 JPEG, depth is 64 x 48 16-bit
  PNG in millimetres with 0 for "no value", poses are camera-to-world in metres; in some scenes one
  frame has a pose of `-inf`, as ScanNet's unregistered frames have.
- `scanqa/`: ScanQA's annotation files. Unlike the official one, the test file carries answers.
- `sqa3d/`: SQA3D's question and annotation files.
- `<question file>.tags.json`: for every question id what it needs, `colour` (the pictures
  suffice) or `depth` (the pictures are the same whatever the answer is), and its kind.
"""


def export_world(target: Path, settings: WorldSettings, workers: int) -> None:
    """Render the world `settings` into the new folder `target`, with `workers` processes.

    The folder appears only when it is whole; its bytes do not depend on `workers`. Raises
    InputError if `target` is already there and not an empty folder.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise InputError(
            f"{target} already exists and is not an empty folder, but a world is rendered into a "
            "new one: remove it or name another folder."
        )
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    scans = unfinished / "scannet/scans"
    scans.mkdir(parents=True)
    _write_scans(scans, settings, workers)
    for split in SPLITS:
        scenes = [build_scene(settings.seed, k) for k in settings.scene_indices(split)]
        _write_annotations(unfinished, split, scenes)
    write_readme(unfinished, "lynx.demo.world", _ABOUT, settings)
    unfinished.replace(target)


def _write_scans(scans: Path, settings: WorldSettings, workers: int) -> None:
    indices = [k for split in SPLITS for k in settings.scene_indices(split)]
    write = partial(_write_one, scans, settings)
    for _ in in_processes(write, indices, workers, desc="rendering scenes", unit="scene"):
        pass


def _write_one(scans: Path, settings: WorldSettings, index: int) -> None:
    write_scene(scans, build_scene(settings.seed, index), settings.frames_per_scene)


def _write_annotations(world: Path, split: str, scenes: Sequence[Scene]) -> None:
    records, tags = scanqa_records(split, scenes)
    stem = FILE_STEMS[split]
    write_json(world / "scanqa" / f"{stem}.json", records)
    write_json(world / "scanqa" / f"{stem}.tags.json", tags)
    questions, answers, tags = sqa3d_records(scenes)
    stem = question_file_stem(split)
    write_json(world / "sqa3d" / f"{stem}.json", questions)
    write_json(world / "sqa3d" / f"{stem}.tags.json", tags)
    write_json(world / "sqa3d" / f"{annotation_file_stem(split)}.json", answers)
