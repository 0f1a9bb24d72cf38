from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lynx.benchmarks.sample import Sample, Turn
from lynx.benchmarks.sqa3d import BENCHMARK as SQA3D
from lynx.benchmarks.sqa3d import question_type, read
from lynx.errors import InputError

QUESTIONS = "v1_balanced_questions_test_scannetv2.json"
ANNOTATIONS = "v1_balanced_sqa_annotations_test_scannetv2.json"
SITUATION = "I am sitting on the sofa."


def _question(number: int, text: str = "Is the window behind me?", **more: Any) -> dict[str, Any]:
    item = {
        "scene_id": "scene0380_00",
        "situation": SITUATION,
        "alternative_situation": ["I sit.", "On the sofa."],
        "question": text,
        "question_id": number,
    }
    return item | more


def _answer(number: int, answer: str = "yes", **more: Any) -> dict[str, Any]:
    item = {
        "scene_id": "scene0380_00",
        "question_type": "N/A",
        "answer_type": "other",
        "question_id": number,
        "answers": [{"answer": answer, "answer_confidence": "yes", "answer_id": 1}],
        "rotation": {"_x": 0.0, "_y": 0.0, "_z": 0.0, "_w": 1.0},
        "position": {"x": 0.0, "y": 0.0, "z": 0.0},
    }
    return item | more


def _write(root: Path, questions: object, answers: object) -> tuple[Path, Path]:
    paths = root / QUESTIONS, root / ANNOTATIONS
    paths[0].write_text(json.dumps({"info": {}, "questions": questions}))
    paths[1].write_text(json.dumps({"info": {}, "annotations": answers}))
    return paths


def _refusal(root: Path, allow_missing: float = 0.0) -> str:
    with pytest.raises(InputError) as caught:
        read(root, "test", allow_missing)
    return str(caught.value)


def test_the_pair_of_files_becomes_samples(tmp_path: Path) -> None:
    # The answers stand in another order on purpose: the id joins the files.
    files = _write(
        tmp_path,
        [_question(220602000007), _question(8, "What is red?")],
        [_answer(8, "chair"), _answer(220602000007)],
    )
    annotation = read(tmp_path, "test")
    first = f"{SITUATION} Is the window behind me?"
    assert annotation.samples == [
        Sample(
            id="220602000007",
            clip="scene0380_00",
            turns=(Turn(question=first, answer="yes"),),
            references=("yes",),
            type="Is",
        ),
        Sample(
            id="8",
            clip="scene0380_00",
            turns=(Turn(question=f"{SITUATION} What is red?", answer="chair"),),
            references=("chair",),
            type="What",
        ),
    ]
    assert annotation.dropped == {}
    assert annotation.files == list(files)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is red?", "What"),
        ("Is it?", "Is"),
        ("How many?", "How"),
        ("Can I see it?", "Can"),
        ("Which way?", "Which"),
        ("Where is it?", "Other"),
        ("what is red?", "Other"),
        ("What's red?", "Other"),
        ("  What is red?", "What"),
        ("Other things?", "Other"),
    ],
)
def test_the_type_is_the_exact_first_word(question: str, expected: str) -> None:
    assert question_type(question) == expected


@pytest.mark.parametrize("split", SQA3D.splits)
@pytest.mark.parametrize("name", [QUESTIONS, ANNOTATIONS])
def test_a_missing_file_says_how_to_get_it(tmp_path: Path, split: str, name: str) -> None:
    for file in _write(tmp_path, [_question(1)], [_answer(1)]):
        file.rename(tmp_path / file.name.replace("_test_", f"_{split}_"))
    missing = tmp_path / name.replace("_test_", f"_{split}_")
    missing.unlink()
    with pytest.raises(InputError) as caught:
        read(tmp_path, split)
    assert str(caught.value) == (
        f"{missing}: file not found, expected the {split} annotation; download the SQA3D archive "
        "from Zenodo, record 7792397 (CC BY 4.0), unpack it there and, for the scenes, sign "
        "ScanNet's terms of use"
    )


def test_the_files_must_hold_the_same_questions(tmp_path: Path) -> None:
    questions, answers = _write(tmp_path, [_question(1), _question(2), _question(3)], [_answer(1)])
    assert _refusal(tmp_path) == (
        f"{answers}: question '2' (and 1 more) not found, expected every question of {questions}; "
        "get both files of one split again"
    )
    questions, answers = _write(tmp_path, [_question(1)], [_answer(1), _answer(4)])
    assert _refusal(tmp_path) == (
        f"{questions}: question '4' (and 0 more) not found, expected every question of {answers}; "
        "get both files of one split again"
    )


def test_the_files_must_agree_on_the_scene(tmp_path: Path) -> None:
    _, answers = _write(tmp_path, [_question(1)], [_answer(1, scene_id="scene0381_00")])
    assert _refusal(tmp_path) == (
        f"{answers}: question '1': field 'scene_id': found 'scene0381_00', expected "
        "'scene0380_00' as in the questions file; get both files of one split again"
    )


@pytest.mark.parametrize("side", [0, 1])
def test_ids_are_unique_in_both_files(tmp_path: Path, side: int) -> None:
    items: tuple[list[Any], list[Any]] = ([_question(1)], [_answer(1)])
    items[side].append(items[side][0])
    paths = _write(tmp_path, *items)
    assert _refusal(tmp_path) == (
        f"{paths[side]}: found question '1' more than once, expected unique question ids; remove "
        "the duplicate"
    )


@pytest.mark.parametrize(
    ("question", "answer", "side", "rest"),
    [
        (_question("1"), _answer(1), 0, "found a string, expected an integer"),  # type: ignore[arg-type]
        (_question(True), _answer(1), 0, "found true or false, expected an integer"),
        (_question(1, situation=None), _answer(1), 0, "found null, expected a string"),
        (_question(1), _answer(1, answers=["yes"]), 1, "found a string, expected an object"),
        (_question(1), _answer(1, answers=[{"answer": 1}]), 1, "found an integer, expected a str"),
        (_question(1), _answer(1, answers=[{}]), 1, "found no field 'answer' among no fields"),
    ],
)
def test_fields_have_their_types(
    tmp_path: Path, question: Any, answer: Any, side: int, rest: str
) -> None:
    path = _write(tmp_path, [question], [answer])[side]
    sentence = _refusal(tmp_path, allow_missing=1.0)
    assert sentence.startswith(str(path))
    assert rest in sentence


def test_a_file_without_its_list_is_refused(tmp_path: Path) -> None:
    questions, _ = _write(tmp_path, [], [])
    questions.write_text('{"annotations": []}')
    assert _refusal(tmp_path) == (
        f"{questions}: found no field 'questions' among annotations, expected a list; use the file "
        "as published"
    )
    questions.write_text("[]")
    assert _refusal(tmp_path) == (
        f"{questions}: found no JSON object, expected one with the list 'questions'; use the file "
        "as published"
    )


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        (_question(2), _answer(2, answers=[]), "empty list of answers"),
        (_question(2), _answer(2, ""), "empty answer"),
        (_question(2, ""), _answer(2), "empty question"),
    ],
)
def test_unusable_questions_need_a_budget_and_are_counted(
    tmp_path: Path, question: Any, answer: Any, reason: str
) -> None:
    questions, answers = _write(tmp_path, [_question(1), question], [_answer(1), answer])
    blamed = questions if reason == "empty question" else answers
    assert _refusal(tmp_path) == (
        f"{blamed}: question '2': found {reason} (1 of 2 questions are unusable), expected at "
        "most the share allow_missing = 0; correct the file, or "
        "of a training split raise allow_missing"
    )
    annotation = read(tmp_path, "test", allow_missing=0.5)
    assert annotation.dropped == {reason: 1}
    assert [sample.id for sample in annotation.samples] == ["1"]


def test_tags_stand_beside_the_questions(tmp_path: Path) -> None:
    files = _write(tmp_path, [_question(1), _question(2)], [_answer(1), _answer(2)])
    tags = tmp_path / "v1_balanced_questions_test_scannetv2.tags.json"
    tags.write_text('{"2": {"needs": "depth"}}')
    annotation = read(tmp_path, "test")
    assert [sample.tags for sample in annotation.samples] == [{}, {"needs": "depth"}]
    assert annotation.files == [*files, tags]
    tags.write_text('{"3": {"needs": "depth"}}')
    assert _refusal(tmp_path).startswith(f"{tags}: found tags of question '3', expected only")
