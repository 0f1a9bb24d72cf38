from __future__ import annotations

from pathlib import Path

import pytest

from lynx.benchmarks.sample import Sample, Turn
from lynx.benchmarks.scenes import require_scenes
from lynx.benchmarks.splits import (
    place_of,
    require_distinct,
    require_unseen,
    without_scored,
)
from lynx.errors import InputError


def _sample(name: str, clip: str) -> Sample:
    turns = (Turn(question="What is red?", answer="chair"),)
    return Sample(id=name, clip=clip, turns=turns, references=("chair",))


TRAIN = [_sample("t0", "scene0001_00"), _sample("t1", "scene0002_00"), _sample("t2", "clip")]


@pytest.mark.parametrize(
    ("clip", "place"),
    [
        ("scene0001_00", "scene0001"),
        ("scene0001_12", "scene0001"),
        ("scene0001", "scene0001"),
        ("scene0001_00_x", "scene0001_00_x"),
        ("v_17", "v_17"),
    ],
)
def test_scans_of_a_room_are_one_place(clip: str, place: str) -> None:
    assert place_of(clip) == place


def test_disjoint_splits_pass() -> None:
    scored = [_sample("v0", "scene0003_00"), _sample("v1", "v")]
    require_distinct(TRAIN, scored, "train", "val")
    assert without_scored(TRAIN, {"val": scored}, "train", 0, 0.0) == (TRAIN, 0)


def test_a_common_question_is_named() -> None:
    scored = [_sample("v0", "scene0003_00"), _sample("t1", "scene0004_00")]
    with pytest.raises(InputError) as caught:
        require_distinct(TRAIN, scored, "train", "val")
    assert str(caught.value) == (
        "split 'val': found question 't1' in split 'train' too, expected no question in both; use "
        "the splits as published"
    )


SCORED = [_sample("v0", "scene0003_00"), _sample("v1", "scene0002_01"), _sample("v2", "clip")]


@pytest.mark.parametrize(("unusable", "allowed"), [(0, 0.0), (0, 0.6), (1, 0.7)])
def test_another_scan_of_a_trained_room_is_named(unusable: int, allowed: float) -> None:
    """What the reader could not use counts against the same budget."""
    with pytest.raises(InputError) as caught:
        without_scored(TRAIN, {"test": [], "val": SCORED}, "train", unusable, allowed)
    assert str(caught.value) == (
        "split 'val': question 'v1' is about 'scene0002_01', found the same place in split 'train' "
        f"(question 't1', 'scene0002_00'; 2 of {3 + unusable} training questions), expected no "
        "place in both; use the splits as published, or raise allow_missing of the benchmark's "
        "file to leave these out of training"
    )


@pytest.mark.parametrize(("unusable", "allowed"), [(0, 0.7), (1, 0.75)])
def test_within_the_budget_what_is_scored_is_not_trained_on(unusable: int, allowed: float) -> None:
    found = without_scored(TRAIN, {"val": SCORED}, "train", unusable, allowed)
    assert found == ([TRAIN[0]], 2)


def test_what_another_benchmark_trains_on_is_not_scored() -> None:
    require_unseen([("sqa3d", "scene0009_00")], SCORED, "scanqa", "val")
    with pytest.raises(InputError) as caught:
        require_unseen([("sqa3d", "x"), ("sqa3d", "scene0002_07")], SCORED, "scanqa", "val")
    assert str(caught.value) == (
        "split 'val' of scanqa: question 'v1' is about 'scene0002_01', found the same place among "
        "the training clips of sqa3d ('scene0002_07'), expected no place in both; use the splits "
        "as published"
    )


def test_scenes_must_have_a_folder(tmp_path: Path) -> None:
    (tmp_path / "scene0001_00").mkdir()
    (tmp_path / "scene0002_00").write_text("a file is no scene")
    samples = [
        _sample("a", "scene0001_00"),
        _sample("b", "scene0002_00"),
        _sample("c", "scene0003_00"),
        _sample("d", "scene0003_00"),
    ]
    require_scenes(samples[:1], tmp_path)
    with pytest.raises(InputError) as caught:
        require_scenes(samples, tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/scene0002_00: scene folder not found, expected one because question 'b' is "
        "about it (3 of 4 questions and 2 of 3 scenes are without); export the missing ScanNet "
        "scans or correct the path of the scenes"
    )


def test_a_scene_cannot_leave_its_root(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not below its root"):
        require_scenes([_sample("a", "../elsewhere")], tmp_path)
