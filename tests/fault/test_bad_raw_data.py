"""Faults in what a user downloads or exports: one sentence, exit code 2, nothing published."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lynx.artifacts.manifest import read_manifest
from lynx.benchmarks.sample import read_samples
from lynx.benchmarks.stage import read_split, require_held_out, training_clips
from lynx.errors import InputError
from tests.command_line import Outcome
from tests.project_copy import edit_yaml, load

DATA = ("data", "--benchmark", "scanqa")
FRAMES = ("frames", "--group", "3d")
TRAIN = Path("data/scanqa/ScanQA_v1.0_train.json")
TEST = Path("data/scanqa/ScanQA_v1.0_test_w_obj.json")
SCANS = Path("data/scannet/scans")
FIRST = "scene9000_00"  # the first training scene of the tiny world


@pytest.fixture
def raw(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The world's files as a user's own raw data: no world, so no manifest vouches for them."""
    world, data = root / "runs/demo/world/rooms", root / "data"
    (data / "scannet").mkdir(parents=True)
    (world / "scannet/scans").rename(data / "scannet/scans")
    for name in ("scanqa", "sqa3d"):
        (world / name).rename(data / name)
    for name in ("world", "data", "frames"):
        shutil.rmtree(root / "runs/demo" / name)
    edit_yaml(root / "config/scales/demo.yaml", {"worlds": {}})
    edit_yaml(
        root / "config/site.yaml",
        {"data": {"scannet": "data/scannet", "scanqa": "data/scanqa", "sqa3d": "data/sqa3d"}},
    )
    monkeypatch.chdir(root)
    return root


def refused(outcome: Outcome, sentence: str, target: str) -> None:
    assert outcome.said == f"lynx: {sentence}"
    assert outcome.code == 2
    assert "Traceback" not in outcome.err
    parent = Path(target).parent
    assert not parent.exists() or Path(target).name not in {path.name for path in parent.iterdir()}
    assert not parent.exists() or not list(parent.glob(".*")), "no draft is left"


def change_items(path: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    items = json.loads(path.read_text(encoding="utf-8"))
    change(items)
    path.write_text(json.dumps(items), encoding="utf-8")


def test_the_untouched_data_pass(raw: Path, lynx: Callable[..., Outcome]) -> None:
    """Otherwise a refusal below might have another reason."""
    assert lynx(*DATA).code == 0
    assert lynx("data", "--benchmark", "sqa3d").code == 0
    assert lynx(*FRAMES).code == 0


def test_a_scene_that_is_not_there(raw: Path, lynx: Callable[..., Outcome]) -> None:
    def rename(items: list[dict[str, Any]]) -> None:
        items[0]["scene_id"] = "scene0000_00"

    change_items(TRAIN, rename)
    items = json.loads(TRAIN.read_text(encoding="utf-8"))
    scenes = {item["scene_id"] for item in items}
    refused(
        lynx(*DATA),
        f"{SCANS}/scene0000_00: scene folder not found, expected one because question "
        f"{items[0]['question_id']!r} is about it (1 of {len(items)} questions and 1 of "
        f"{len(scenes)} scenes are without); export the missing ScanNet scans or correct the path "
        "of the scenes",
        "runs/demo/data/scanqa",
    )


def test_a_question_id_twice(raw: Path, lynx: Callable[..., Outcome]) -> None:
    def repeat(items: list[dict[str, Any]]) -> None:
        items[3]["question_id"] = items[0]["question_id"]

    change_items(TRAIN, repeat)
    name = json.loads(TRAIN.read_text(encoding="utf-8"))[0]["question_id"]
    refused(
        lynx(*DATA),
        f"{TRAIN}: found question {name!r} more than once, expected unique question ids; remove "
        "the duplicate",
        "runs/demo/data/scanqa",
    )


def test_an_empty_answer(raw: Path, lynx: Callable[..., Outcome]) -> None:
    def empty(items: list[dict[str, Any]]) -> None:
        items[1]["answers"] = [" "]

    change_items(TRAIN, empty)
    items = json.loads(TRAIN.read_text(encoding="utf-8"))
    refused(
        lynx(*DATA),
        f"{TRAIN}: question {items[1]['question_id']!r}: found empty answer (1 of {len(items)} "
        "questions are unusable), expected at most the share allow_missing = 0; correct the file, "
        "or of a training split raise allow_missing",
        "runs/demo/data/scanqa",
    )


def test_a_scene_in_both_splits(raw: Path, lynx: Callable[..., Outcome]) -> None:
    def move(items: list[dict[str, Any]]) -> None:
        items[0]["scene_id"] = FIRST

    change_items(TEST, move)
    scored = json.loads(TEST.read_text(encoding="utf-8"))[0]["question_id"]
    items = json.loads(TRAIN.read_text(encoding="utf-8"))
    trained = [item["question_id"] for item in items if item["scene_id"] == FIRST]
    refused(
        lynx(*DATA),
        f"split 'test_w_obj': question {scored!r} is about {FIRST!r}, found the same place in "
        f"split 'train' (question {trained[0]!r}, {FIRST!r}; {len(trained)} of {len(items)} "
        "training questions), expected no place in both; use the splits as published, or raise "
        "allow_missing of the benchmark's file to leave these out of training",
        "runs/demo/data/scanqa",
    )
    edit_yaml(raw / "config/benchmarks/scanqa.yaml", {"allow_missing": 0.5})
    assert lynx(*DATA).code == 0
    table = read_samples(raw / "runs/demo/data/scanqa/train.jsonl")
    assert {sample.id for sample in table} == {item["question_id"] for item in items} - {*trained}
    counts = read_manifest(raw / "runs/demo/data/scanqa/manifest.json").counts
    assert counts["train dropped: about a place that is scored"] == len(trained)


def test_a_scene_that_the_other_benchmark_scores(raw: Path, lynx: Callable[..., Outcome]) -> None:
    """Stages 1 and 2 do not meet it; an adapter that has met it answers nothing about it."""
    for name, key in (("questions", "questions"), ("sqa_annotations", "annotations")):
        path = raw / f"data/sqa3d/v1_balanced_{name}_test_scannetv2.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        content[key][0]["scene_id"] = FIRST
        path.write_text(json.dumps(content), encoding="utf-8")
    # Its own training split goes without the scene.
    edit_yaml(raw / "config/benchmarks/sqa3d.yaml", {"allow_missing": 0.5})
    for name in ("scanqa", "sqa3d"):
        assert lynx("data", "--benchmark", name).code == 0
    project = load(raw)
    scanqa, sqa3d = (
        {sample.clip for sample in read_split(project, name, "train")}
        for name in ("scanqa", "sqa3d")
    )
    assert FIRST in scanqa - sqa3d
    clips = {clip for _, clip in training_clips(project, ["scanqa", "sqa3d"])}
    assert clips == (scanqa | sqa3d) - {FIRST}
    require_held_out(project, "sqa3d", "test", [("scanqa", "sqa3d")])
    with pytest.raises(InputError) as caught:
        require_held_out(project, "sqa3d", "test", [("sqa3d",), ("scanqa",)])
    assert str(caught.value).endswith(
        f"is about {FIRST!r}, found the same place among the training clips of scanqa "
        f"({FIRST!r}), expected no place in both; use the splits as published"
    )


def test_answers_about_what_was_trained_on_are_refused(
    root: Path, lynx: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an adapter that met another benchmark's training scenes."""
    project = load(root)
    first = read_split(project, "scanqa", "test_w_obj")[0]
    table = project.layout.data("sqa3d") / "train.jsonl"
    shared = [first.model_copy(update={"id": "0"})]
    monkeypatch.setattr(
        "lynx.benchmarks.stage.read_samples",
        lambda path: shared if path == table.relative_to(root) else read_samples(path),
    )
    monkeypatch.setattr("lynx.evaluate.stage.training_sources", lambda *_: [("sqa3d",)])
    outcome = lynx("predict", "--variant", "lynx", "--benchmark", "scanqa")
    assert (outcome.code, outcome.said) == (
        2,
        f"lynx: split 'test_w_obj' of scanqa: question {first.id!r} is about {first.clip!r}, found "
        f"the same place among the training clips of sqa3d ({first.clip!r}), expected no place in "
        "both; use the splits as published",
    )


def test_an_annotation_without_questions(raw: Path, lynx: Callable[..., Outcome]) -> None:
    TEST.write_text("[]", encoding="utf-8")
    TEST.with_suffix(".tags.json").unlink()
    refused(
        lynx(*DATA),
        f"{TEST}: found no question of the split 'test_w_obj', expected at least one; use the file "
        "as published",
        "runs/demo/data/scanqa",
    )


def test_an_annotation_cut_short(raw: Path, lynx: Callable[..., Outcome]) -> None:
    whole = TRAIN.read_bytes()
    TRAIN.write_bytes(whole[: len(whole) // 2])
    outcome = lynx(*DATA)
    assert outcome.said.startswith(f"lynx: {TRAIN}: found text that is not JSON (")
    assert outcome.said.endswith("), expected the annotation as published; get the file again")
    refused(outcome, outcome.said.removeprefix("lynx: "), "runs/demo/data/scanqa")


def cut(path: Path) -> int:
    data = path.read_bytes()[:200]
    path.write_bytes(data)
    return len(data)


@pytest.fixture
def tabled(raw: Path, lynx: Callable[..., Outcome]) -> Path:
    """Raw data whose tables are published, so that the frames come next."""
    assert lynx(*DATA).code == 0
    assert lynx("data", "--benchmark", "sqa3d").code == 0
    return raw


def last_file(kind: str) -> Path:
    return sorted((SCANS / FIRST / kind).iterdir(), key=lambda path: int(path.stem))[-1]


def test_a_missing_depth_image(tabled: Path, lynx: Callable[..., Outcome]) -> None:
    gone = last_file("depth")
    gone.unlink()
    refused(
        lynx(*FRAMES),
        f"{last_file('color')}: found no depth frame {gone.stem}, expected one in "
        f"{SCANS / FIRST / 'depth'}; export the scene again or remove this frame",
        "runs/demo/frames/3d",
    )


def test_a_link_to_nowhere(tabled: Path, lynx: Callable[..., Outcome]) -> None:
    path = last_file("color")
    path.unlink()
    path.symlink_to("gone.jpg")
    refused(
        lynx(*FRAMES),
        f"{path}: not found, expected a colour image; copy or export the scene again",
        "runs/demo/frames/3d",
    )


@pytest.mark.parametrize(("kind", "what"), [("color", "colour image"), ("depth", "depth image")])
def test_a_truncated_image(
    tabled: Path, lynx: Callable[..., Outcome], kind: str, what: str
) -> None:
    path = last_file(kind)
    kept = cut(path)
    refused(
        lynx(*FRAMES),
        f"{path}: found {kept} bytes that do not decode, expected a whole {what}; copy or export "
        "it again",
        "runs/demo/frames/3d",
    )


def test_a_depth_image_of_eight_bits(tabled: Path, lynx: Callable[..., Outcome]) -> None:
    path = last_file("depth")
    Image.fromarray(np.full((48, 64), 7, np.uint8)).save(path)
    refused(
        lynx(*FRAMES),
        f"{path}: found an image of mode L, expected 16-bit grey (I;16) with depth in millimetres; "
        "export the depth again as a 16-bit PNG",
        "runs/demo/frames/3d",
    )


def test_missing_intrinsics(tabled: Path, lynx: Callable[..., Outcome]) -> None:
    for path in (SCANS / FIRST).rglob("intrinsic_depth.txt"):
        path.unlink()
    refused(
        lynx(*FRAMES),
        f"{SCANS / FIRST}/intrinsic_depth.txt: not found, expected the depth camera's 4x4 matrix "
        "in text; export the scene again with its intrinsics",
        "runs/demo/frames/3d",
    )


def test_frames_before_their_tables(raw: Path, lynx: Callable[..., Outcome]) -> None:
    refused(
        lynx(*FRAMES),
        "runs/demo/data/scanqa/train.jsonl: no sample table found, expected JSON Lines; run the "
        "stage that reads the benchmark's annotation first",
        "runs/demo/frames/3d",
    )
