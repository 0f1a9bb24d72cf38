from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lynx.benchmarks.sample import Sample, Turn
from lynx.benchmarks.scanqa import BENCHMARK as SCANQA
from lynx.benchmarks.scanqa import read
from lynx.errors import InputError

VAL = "ScanQA_v1.0_val.json"


def _item(number: int = 0, **changes: Any) -> dict[str, Any]:
    item = {
        "scene_id": "scene0011_00",
        "object_ids": [4],
        "object_names": ["lamp"],
        "question_id": f"val-scene0011-{number}",
        "question": "What is left of the bed?",
        "answers": ["small lamp", "lamp"],
    }
    return {key: value for key, value in (item | changes).items() if value is not ...}


def _write(root: Path, content: object, name: str = VAL) -> Path:
    path = root / name
    path.write_text(json.dumps(content))
    return path


def _refusal(root: Path, split: str = "val", allow_missing: float = 0.0) -> str:
    with pytest.raises(InputError) as caught:
        read(root, split, allow_missing)
    return str(caught.value)


def test_the_official_file_becomes_samples(tmp_path: Path) -> None:
    path = _write(tmp_path, [_item(0), _item(1, scene_id="scene0011_01", answers=["two"])])
    annotation = read(tmp_path, "val")
    question = "What is left of the bed?"
    assert annotation.samples == [
        Sample(
            id="val-scene0011-0",
            clip="scene0011_00",
            turns=(Turn(question=question, answer="small lamp"),),
            references=("small lamp", "lamp"),
        ),
        Sample(
            id="val-scene0011-1",
            clip="scene0011_01",
            turns=(Turn(question=question, answer="two"),),
            references=("two",),
        ),
    ]
    assert annotation.dropped == {}
    assert annotation.files == [path]


@pytest.mark.parametrize("split", SCANQA.splits)
def test_each_split_has_its_file(tmp_path: Path, split: str) -> None:
    path = _write(tmp_path, [_item()], f"ScanQA_v1.0_{split}.json")
    assert read(tmp_path, split).files == [path]


def test_test_questions_have_no_answers_and_no_score(tmp_path: Path) -> None:
    _write(tmp_path, [_item(answers=...)], "ScanQA_v1.0_test_w_obj.json")
    samples = read(tmp_path, "test_w_obj").samples
    assert samples[0].references == ()
    assert samples[0].turns[0].answer == ""
    with pytest.raises(InputError) as caught:
        SCANQA.score(samples, {"val-scene0011-0": "lamp"})
    assert str(caught.value) == (
        "sample 'val-scene0011-0': found no reference answers, expected at least one; the answers "
        "of this split are not public, so score another split"
    )


def test_a_test_file_with_some_answers_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, [_item(0), _item(1, answers=...)], "ScanQA_v1.0_test_w_obj.json")
    assert "question 'val-scene0011-1': found no field 'answers'" in _refusal(
        tmp_path, "test_w_obj"
    )


def test_a_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    assert _refusal(tmp_path, "train") == (
        f"{tmp_path}/ScanQA_v1.0_train.json: file not found, expected the train annotation; "
        "download the ScanQA v1.0 JSON files from the drive that the ScanQA repository links to "
        "(CC BY-NC-SA 3.0) and, for the scenes, sign ScanNet's terms of use"
    )


def test_an_unknown_split_lists_the_known(tmp_path: Path) -> None:
    assert _refusal(tmp_path, "test") == (
        "split: found 'test', expected one of train, val, test_w_obj; correct the recipe"
    )


@pytest.mark.parametrize("raw", [b'[{"scene_id": ', b"", b'["\xff"]'])
def test_text_that_is_not_json_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / VAL).write_bytes(raw)
    sentence = _refusal(tmp_path)
    assert sentence.startswith(f"{tmp_path}/{VAL}: found text that is not JSON (")
    assert sentence.endswith("), expected the annotation as published; get the file again")


PUBLISHED = "; use the file as published"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"questions": []}, "{path}: found an object, expected a list of objects" + PUBLISHED),
        (
            [_item(), None],
            "{path}, item 1 (from 0): found null, expected an object" + PUBLISHED,
        ),
        (
            [{"scene_id": "scene0000_00"}],
            "{path}, item 0 (from 0): found no field 'question_id' among scene_id, expected a "
            "string" + PUBLISHED,
        ),
        (
            [_item(question=...)],
            "{path}: question 'val-scene0011-0': found no field 'question' among answers, "
            "object_ids, object_names, question_id, scene_id, expected a string" + PUBLISHED,
        ),
        (
            [_item(answers="lamp")],
            "{path}: question 'val-scene0011-0': field 'answers': found a string, expected a list"
            + PUBLISHED,
        ),
        (
            [_item(answers=["lamp", 2])],
            "{path}: question 'val-scene0011-0': field 'answers': found ['lamp', 2], expected a "
            "list of strings" + PUBLISHED,
        ),
        (
            [_item(question=True)],
            "{path}: question 'val-scene0011-0': field 'question': found true or false, expected "
            "a string" + PUBLISHED,
        ),
        (
            [_item(scene_id="../scene0011_00")],
            "{path}: question 'val-scene0011-0': field 'scene_id': found '../scene0011_00', "
            "expected a ScanNet scan such as scene0000_00; correct the annotation",
        ),
        (
            [_item(0), _item(1), _item(0)],
            "{path}: found question 'val-scene0011-0' more than once, expected unique question "
            "ids; remove the duplicate",
        ),
    ],
)
def test_faults_of_the_file_are_sentences(tmp_path: Path, content: object, sentence: str) -> None:
    path = _write(tmp_path, content)
    assert _refusal(tmp_path, allow_missing=1.0) == sentence.format(path=path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"answers": []}, "empty list of answers"),
        ({"answers": ["lamp", " ?"]}, "empty answer"),
        ({"question": " "}, "empty question"),
    ],
)
def test_unusable_questions_need_a_budget_and_are_counted(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    path = _write(tmp_path, [_item(0), _item(1, **changes), _item(2), _item(3)])
    assert _refusal(tmp_path, allow_missing=0.24) == (
        f"{path}: question 'val-scene0011-1': found {reason} (1 of 4 questions are unusable), "
        "expected at most the share allow_missing = 0.24; correct the file, or "
        "of a training split raise allow_missing"
    )
    annotation = read(tmp_path, "val", allow_missing=0.25)
    assert annotation.dropped == {reason: 1}
    assert [sample.id[-1] for sample in annotation.samples] == ["0", "2", "3"]


def test_tags_beside_the_file_are_read(tmp_path: Path) -> None:
    path = _write(tmp_path, [_item(0), _item(1)])
    tags = _write(tmp_path, {"val-scene0011-1": {"needs": "depth"}}, "ScanQA_v1.0_val.tags.json")
    annotation = read(tmp_path, "val")
    assert [sample.tags for sample in annotation.samples] == [{}, {"needs": "depth"}]
    assert annotation.files == [path, tags]


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        ([], "found no JSON object, expected {question id: {tag: value}}; rewrite it"),
        (
            {"val-scene0011-9": {"needs": "depth"}},
            "found tags of question 'val-scene0011-9', expected only questions of the annotation "
            "beside it; correct or delete the file",
        ),
        (
            {"val-scene0011-0": {"needs": 3}},
            "question 'val-scene0011-0': found {'needs': 3}, expected {tag: value} with text "
            "values; correct the file",
        ),
        (
            {"val-scene0011-0": {"type": "place"}},
            "question 'val-scene0011-0': found the tag 'type', expected another name because "
            "question types are reported under this one; rename the tag",
        ),
    ],
)
def test_faults_of_the_tags_are_sentences(tmp_path: Path, content: object, rest: str) -> None:
    _write(tmp_path, [_item()])
    tags = _write(tmp_path, content, "ScanQA_v1.0_val.tags.json")
    assert _refusal(tmp_path) == f"{tags}: {rest}"
