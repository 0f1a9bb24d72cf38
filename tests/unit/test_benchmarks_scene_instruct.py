"""ScanQA and SQA3D from PAVE's instruct files, which stand in for the official training files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lynx.benchmarks import get_benchmark
from lynx.benchmarks.annotation import Annotation
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scanqa import INSTRUCT as SCANQA_INSTRUCT
from lynx.benchmarks.scenes import require_scenes
from lynx.benchmarks.sqa3d import INSTRUCT as SQA3D_INSTRUCT
from lynx.errors import InputError

INSTRUCT = {"scanqa": SCANQA_INSTRUCT, "sqa3d": SQA3D_INSTRUCT}
SCENE = "scene0000_00"
SITUATION, QUESTION = "I face the door.", "What is left of the bed?"
# Id and prompt of the one question that both files of a benchmark hold here.
ASKED = {
    "scanqa": ("train-scene0000-0", QUESTION),
    "sqa3d": ("220602000007", f"{SITUATION} {QUESTION}"),
}
BOTH = pytest.mark.parametrize("name", sorted(INSTRUCT))
PUBLISHED = "; use the file as published"


def _record(name: str, answer: str = "lamp", **changes: Any) -> dict[str, Any]:
    question_id, text = ASKED[name]
    turns = [{"from": "human", "value": f"<image>\n{text}"}, {"from": "gpt", "value": answer}]
    item = {"id": question_id, "conversations": turns, "video": SCENE}
    return {key: value for key, value in (item | changes).items() if value is not ...}


def _asking(text: str) -> list[dict[str, str]]:
    return [{"from": "human", "value": text}, {"from": "gpt", "value": "lamp"}]


def _official(name: str) -> dict[str, object]:
    asked = {"scene_id": SCENE, "question_id": ASKED["scanqa"][0], "question": QUESTION}
    if name == "scanqa":
        return {"ScanQA_v1.0_train.json": [asked | {"answers": ["lamp", "small lamp"]}]}
    ids = {"scene_id": SCENE, "question_id": int(ASKED["sqa3d"][0])}
    return {
        "v1_balanced_questions_train_scannetv2.json": {
            "questions": [asked | ids | {"situation": SITUATION}]
        },
        "v1_balanced_sqa_annotations_train_scannetv2.json": {
            "annotations": [ids | {"answers": [{"answer": "lamp"}, {"answer": "small lamp"}]}]
        },
    }


def _write(root: Path, file: str, content: object) -> Path:
    path = root / file
    path.write_text(json.dumps(content))
    return path


def _read(root: Path, name: str, allow_missing: float = 0.0) -> Annotation:
    return get_benchmark(name).read(root, "train", allow_missing)


def _refusal(root: Path, name: str, split: str = "train", allow_missing: float = 0.0) -> str:
    with pytest.raises(InputError) as caught:
        get_benchmark(name).read(root, split, allow_missing)
    return str(caught.value)


@BOTH
def test_either_file_teaches_the_same_and_the_official_one_wins(tmp_path: Path, name: str) -> None:
    instruct = _write(tmp_path, INSTRUCT[name], [_record(name)])
    taught = _read(tmp_path, name)
    paths = [_write(tmp_path, file, content) for file, content in _official(name).items()]
    annotation = _read(tmp_path, name)
    assert (taught.files, annotation.files) == ([instruct], paths)
    # Further answers and the question's type are in the official files alone.
    changed = {"references": ("lamp",), "type": None}
    assert taught.samples == [each.model_copy(update=changed) for each in annotation.samples]
    assert (taught.dropped, taught.clip_files) == ({}, {})
    sample = taught.samples[0]
    assert (sample.id, get_benchmark(name).prompt(sample, 0)) == ASKED[name]
    assert (sample.clip, sample.turns[0].answer) == (SCENE, "lamp")


@BOTH
def test_it_stands_in_for_training_alone(tmp_path: Path, name: str) -> None:
    _write(tmp_path, INSTRUCT[name], [_record(name)])
    for split in get_benchmark(name).splits[1:]:
        assert f"file not found, expected the {split} annotation" in _refusal(tmp_path, name, split)


@pytest.mark.parametrize("half", [0, 1])
def test_half_a_pair_is_not_replaced(tmp_path: Path, half: int) -> None:
    """Who has one file of the pair means the pair: the other one is asked for."""
    _write(tmp_path, INSTRUCT["sqa3d"], [_record("sqa3d")])
    there, lacking = sorted(_official("sqa3d").items(), reverse=bool(half))
    _write(tmp_path, *there)
    sentence = f"{tmp_path / lacking[0]}: file not found, expected the train annotation; download"
    assert _refusal(tmp_path, "sqa3d").startswith(sentence)


@BOTH
@pytest.mark.parametrize(
    ("changes", "rest"),
    [
        (
            {"video": ...},
            "found no field 'video' among conversations, id, expected a string" + PUBLISHED,
        ),
        (
            {"id": ...},
            "found no field 'id' among conversations, video, expected a string" + PUBLISHED,
        ),
        (
            {"conversations": _asking("<image>\n<image>\nWhat is it?")},
            "field 'conversations': found <image> 2 times, expected it once, alone on the first "
            "line of the first turn" + PUBLISHED,
        ),
        (
            {"conversations": _asking("What is it?")},
            "field 'conversations': found <image> 0 times, expected it once, alone on the first "
            "line of the first turn" + PUBLISHED,
        ),
        (
            {"conversations": [*_asking("<image>\nWhat is it?"), *_asking("And that?")]},
            "found 2 questions, expected one question and one answer" + PUBLISHED,
        ),
        (
            {"video": "../scene0000_00"},
            "field 'video': found '../scene0000_00', expected a ScanNet scan such as scene0000_00; "
            "correct the annotation",
        ),
        (
            {"video": "scene0000_00.mp4"},
            "field 'video': found 'scene0000_00.mp4', expected a ScanNet scan such as "
            "scene0000_00; correct the annotation",
        ),
    ],
)
def test_faults_of_a_record_are_sentences(
    tmp_path: Path, name: str, changes: dict[str, Any], rest: str
) -> None:
    path = _write(tmp_path, INSTRUCT[name], [_record(name, **changes)])
    assert _refusal(tmp_path, name, allow_missing=1.0) == f"{path}, item 0 (from 0): {rest}"


@BOTH
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"answer": " "}, "empty answer"),
        ({"answer": " ?"}, "empty answer"),
        ({"conversations": _asking("<image>\n ")}, "empty question"),
    ],
)
def test_unusable_records_need_a_budget_and_are_counted(
    tmp_path: Path, name: str, changes: dict[str, Any], reason: str
) -> None:
    records = [_record(name), _record(name, **{"id": "x", **changes})]
    path = _write(tmp_path, INSTRUCT[name], records)
    assert _refusal(tmp_path, name, allow_missing=0.4) == (
        f"{path}: question 'x': found {reason} (1 of 2 questions are unusable), expected at most "
        "the share allow_missing = 0.4; correct the file, or of a training split raise "
        "allow_missing"
    )
    annotation = _read(tmp_path, name, 0.5)
    assert annotation.dropped == {reason: 1}
    assert [sample.id for sample in annotation.samples] == [ASKED[name][0]]


@BOTH
def test_a_scene_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    """As the `data` stage asks; the released code raises only when it comes to the record."""
    absent = _record(name, id="x", video="scene0001_00")
    _write(tmp_path, INSTRUCT[name], [_record(name), absent])
    samples: list[Sample] = _read(tmp_path, name).samples
    (tmp_path / SCENE).mkdir()
    require_scenes(samples[:1], tmp_path)
    with pytest.raises(InputError) as caught:
        require_scenes(samples, tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/scene0001_00: scene folder not found, expected one because question 'x' is "
        "about it (1 of 2 questions and 1 of 2 scenes are without); export the missing ScanNet "
        "scans or correct the path of the scenes"
    )
