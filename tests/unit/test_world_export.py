"""The exported demo world: ScanNet's layout, official annotations, equal bytes on every run."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from lynx.benchmarks import get_benchmark
from lynx.demo.world import (
    WorldSettings,
    build_scene,
    export_world,
    metric_pose,
    render_frame,
    scene_cameras,
)
from lynx.demo.world.export import _write_annotations
from lynx.errors import InputError

SMALL = WorldSettings(train_scenes=6, val_scenes=2, test_scenes=2, frames_per_scene=3)
STEMS = ("0", "7", "14")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("export") / "world"
    export_world(target, SMALL, workers=1)
    return target


def _digests(world: Path) -> dict[str, str]:
    return {
        path.relative_to(world).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(world.rglob("*"))
        if path.is_file()
    }


def test_bytes_do_not_depend_on_the_run_or_the_workers(world: Path, tmp_path: Path) -> None:
    export_world(tmp_path / "again", SMALL, workers=2)
    assert _digests(tmp_path / "again") == _digests(world)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again"]


def test_scene_k_is_the_same_in_another_world(world: Path, tmp_path: Path) -> None:
    other = WorldSettings(
        first_scene_index=4, train_scenes=1, val_scenes=1, test_scenes=0, frames_per_scene=3
    )
    export_world(tmp_path / "other", other, workers=1)
    for scene in ("scene9004_00", "scene9005_00"):
        assert _digests(tmp_path / "other/scannet/scans" / scene) == _digests(
            world / "scannet/scans" / scene
        )


def test_layout_is_scannets(world: Path) -> None:
    assert sorted(p.name for p in world.iterdir()) == ["README.md", "scannet", "scanqa", "sqa3d"]
    scans = sorted(path.name for path in (world / "scannet/scans").iterdir())
    assert scans == [f"scene{9000 + k}_00" for k in range(10)]
    for scan in scans:
        names = {p.relative_to(world / "scannet/scans" / scan).as_posix() for p in
                 (world / "scannet/scans" / scan).rglob("*") if p.is_file()}  # fmt: skip
        assert names == {
            "intrinsic_color.txt",
            "intrinsic_depth.txt",
            "extrinsic_color.txt",
            "extrinsic_depth.txt",
            *(f"color/{stem}.jpg" for stem in STEMS),
            *(f"depth/{stem}.png" for stem in STEMS),
            *(f"pose/{stem}.txt" for stem in STEMS),
        }


def test_images_and_calibration(world: Path) -> None:
    scan, scene = world / "scannet/scans/scene9003_00", build_scene(0, 3)
    camera = scene_cameras(scene, 3)[1]
    color = Image.open(scan / "color/7.jpg")
    assert (color.format, color.mode, color.size) == ("JPEG", "RGB", (80, 60))
    painted = render_frame(scene, camera, 80, 60).color.astype(int)
    assert np.abs(np.asarray(color).astype(int) - painted).mean() < 4
    depth = Image.open(scan / "depth/7.png")
    assert (depth.format, depth.mode, depth.size) == ("PNG", "I;16", (64, 48))
    values, true = np.asarray(depth), render_frame(scene, camera, 64, 48).depth
    assert 0.01 < (values == 0).mean() < 0.06
    np.testing.assert_array_equal(values[values > 0], true[values > 0])
    for name, size in (("color", (80, 60)), ("depth", (64, 48))):
        matrix = np.loadtxt(scan / f"intrinsic_{name}.txt")
        assert matrix.shape == (4, 4)
        assert (2 * matrix[0, 2] + 1, 2 * matrix[1, 2] + 1) == size


def test_poses_are_metric_camera_to_world_or_unregistered(world: Path) -> None:
    unregistered = 0
    for index in range(10):
        scene = build_scene(0, index)
        for stem, camera in zip(STEMS, scene_cameras(scene, 3), strict=True):
            pose = np.loadtxt(world / "scannet/scans" / scene.scene_id / "pose" / f"{stem}.txt")
            if np.isneginf(pose).all():
                unregistered += 1
            else:
                np.testing.assert_allclose(pose, metric_pose(scene, camera), atol=1e-6)
    assert 1 <= unregistered <= 6


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Annotations of the default world, without its images."""
    target = tmp_path_factory.mktemp("annotations")
    settings = WorldSettings()
    for split in ("train", "val", "test"):
        scenes = [build_scene(settings.seed, k) for k in settings.scene_indices(split)]
        _write_annotations(target, split, scenes)
    return target


SCANQA = {
    "train": "ScanQA_v1.0_train",
    "val": "ScanQA_v1.0_val",
    "test": "ScanQA_v1.0_test_w_obj",
}


def test_scanqa_records(annotated: Path) -> None:
    ids: set[str] = set()
    for split, stem in SCANQA.items():
        records = _read(annotated / f"scanqa/{stem}.json")
        tags = _read(annotated / f"scanqa/{stem}.tags.json")
        for record in records:
            assert list(record) == [
                "scene_id",
                "object_ids",
                "object_names",
                "question_id",
                "question",
                "answers",
            ]
            assert record["question_id"].startswith(f"{split}-{record['scene_id'][:-3]}-")
            assert len(record["object_ids"]) == len(record["object_names"])
            assert all(isinstance(number, int) for number in record["object_ids"])
            assert record["answers"]
            assert all(isinstance(a, str) for a in record["answers"])
        found = [record["question_id"] for record in records]
        assert list(tags) == found
        assert {tag["needs"] for tag in tags.values()} == {"colour", "depth"}
        assert ids.isdisjoint(found)
        assert len(set(found)) == len(found)
        ids.update(found)
        assert {len(record["answers"]) for record in records} == {1, 2}


@pytest.mark.parametrize("benchmark", ["scanqa", "sqa3d"])
def test_the_benchmark_reads_what_each_question_needs(annotated: Path, benchmark: str) -> None:
    task = get_benchmark(benchmark)
    for split in task.splits:
        samples = task.read(annotated / benchmark, split).samples
        assert {sample.tags.get("needs") for sample in samples} == {"colour", "depth"}


def test_sqa3d_records(annotated: Path) -> None:
    ids: set[int] = set()
    for split in SCANQA:
        stem = f"v1_balanced_questions_{split}_scannetv2"
        questions = _read(annotated / f"sqa3d/{stem}.json")
        tags = _read(annotated / f"sqa3d/{stem}.tags.json")
        answers = _read(annotated / f"sqa3d/v1_balanced_sqa_annotations_{split}_scannetv2.json")
        assert list(questions) == ["questions"]
        assert list(answers) == ["annotations"]
        for question, answer in zip(questions["questions"], answers["annotations"], strict=True):
            assert list(question) == [
                "scene_id",
                "situation",
                "alternative_situation",
                "question",
                "question_id",
            ]
            assert len({question["situation"], *question["alternative_situation"]}) == 3
            assert isinstance(question["question_id"], int)
            assert list(answer) == [
                "scene_id",
                "question_type",
                "answer_type",
                "question_id",
                "answers",
                "rotation",
                "position",
            ]
            assert answer["question_id"] == question["question_id"]
            assert answer["scene_id"] == question["scene_id"]
            assert list(answer["answers"][0]) == ["answer", "answer_confidence", "answer_id"]
            assert len(answer["answers"]) == 1
            assert list(answer["position"]) == ["x", "y", "z"]
            assert sum(v**2 for v in answer["rotation"].values()) == pytest.approx(1)
        found = [question["question_id"] for question in questions["questions"]]
        assert list(tags) == [str(number) for number in found]
        assert ids.isdisjoint(found)
        assert len(set(found)) == len(found)
        ids.update(found)


def test_splits_share_no_scene(annotated: Path) -> None:
    scenes = {}
    for split, stem in SCANQA.items():
        records = _read(annotated / f"scanqa/{stem}.json")
        scenes[split] = {record["scene_id"] for record in records}
    assert {split: len(names) for split, names in scenes.items()} == {
        "train": 200,
        "val": 40,
        "test": 60,
    }
    assert len(set.union(*scenes.values())) == 300


def test_readme_says_what_it_is(world: Path) -> None:
    text = (world / "README.md").read_text(encoding="utf-8")
    for phrase in ("Synthetic data", "CC0", "the test file carries answers", '"train_scenes": 6'):
        assert phrase in text


def test_a_full_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    (tmp_path / "world/notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError) as error:
        export_world(tmp_path / "world", SMALL, workers=1)
    assert str(error.value) == (
        f"{tmp_path / 'world'} already exists and is not an empty folder, but a world is rendered "
        "into a new one: remove it or name another folder."
    )
    assert (tmp_path / "world/notes.txt").read_text(encoding="utf-8") == "mine"


def test_settings_refuse_unknown_keys_and_too_many_scenes() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        WorldSettings.model_validate({"sead": 1})
    with pytest.raises(ValidationError, match="scene indices up to 1000 were asked for"):
        WorldSettings(first_scene_index=701)
