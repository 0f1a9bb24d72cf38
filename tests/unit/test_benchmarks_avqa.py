from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lynx.benchmarks.avqa import BENCHMARK as AVQA
from lynx.benchmarks.avqa import prompt, read
from lynx.benchmarks.sample import Sample, Turn, read_samples, write_samples
from lynx.benchmarks.scores import Metric
from lynx.errors import InputError

CLIP = "aBcDeFgHiJk_000030"
OPTIONS = ["dog", "goat", "parrot", "horse"]
QUESTION = "Which animal makes the sound?"
GOLDEN = (
    "Select the best answer to the following multiple-choice question based on the video and the "
    "subtitles. Respond with only the letter (A, B, C, or D) of the correct option.\n"
    "Which animal makes the sound?\n"
    "A.dog\n"
    "B.goat\n"
    "C.parrot\n"
    "D.horse\n"
    "Answer with the option's letter from the given choices directly."
)
PUBLISHED = "; use the file as published"


def _item(number: int = 7, **changes: Any) -> dict[str, Any]:
    item = {
        "id": number,
        "video_name": CLIP,
        "video_id": 12,
        "question_text": QUESTION,
        "multi_choice": OPTIONS,
        "answer": 1,
        "question_relation": "Both",
        "question_type": "Which",
    }
    return {key: value for key, value in (item | changes).items() if value is not ...}


def _record(text: str = GOLDEN, answer: str = "B", **changes: Any) -> dict[str, Any]:
    turns = [{"from": "human", "value": f"<image>\n{text}"}, {"from": "gpt", "value": answer}]
    return {"id": 7, "video": f"{CLIP}.mp4", "conversations": turns} | changes


def _write(root: Path, name: str, content: object) -> Path:
    path = root / name
    path.write_text(json.dumps(content))
    return path


def _refusal(root: Path, split: str = "val", allow_missing: float = 1.0) -> str:
    with pytest.raises(InputError) as caught:
        read(root, split, allow_missing)
    return str(caught.value)


def test_the_official_file_becomes_samples(tmp_path: Path) -> None:
    path = _write(tmp_path, "val_qa.json", [_item()])
    annotation = read(tmp_path, "val")
    assert annotation.samples == [
        Sample(
            id="7",
            clip=CLIP,
            turns=(Turn(question=QUESTION, answer="B"),),
            references=("B",),
            type="Which",
            tags={"relation": "Both"},
            options=("dog", "goat", "parrot", "horse"),
        )
    ]
    assert annotation.files == [path]
    assert annotation.clip_files == {CLIP: (f"{CLIP}.mp4",)}
    assert annotation.dropped == {}


def test_the_golden_prompt(tmp_path: Path) -> None:
    _write(tmp_path, "val_qa.json", [_item()])
    assert prompt(read(tmp_path, "val").samples[0], 0) == GOLDEN
    assert AVQA.letters == ("A", "B", "C", "D")
    assert AVQA.splits[0] == "train"


def test_options_survive_the_sample_table(tmp_path: Path) -> None:
    _write(tmp_path, "val_qa.json", [_item()])
    samples = read(tmp_path, "val").samples
    write_samples(tmp_path / "samples.jsonl", samples)
    assert read_samples(tmp_path / "samples.jsonl") == samples


def test_null_options_are_shown_as_their_text(tmp_path: Path) -> None:
    _write(tmp_path, "val_qa.json", [_item(multi_choice=["dog", None, 3, ""])])
    sample = read(tmp_path, "val").samples[0]
    assert sample.options == ("dog", "None", "3", "")
    assert "\nA.dog\nB.None\nC.3\nD.\n" in prompt(sample, 0)


def test_type_and_relation_are_optional(tmp_path: Path) -> None:
    _write(tmp_path, "val_qa.json", [_item(question_type=..., question_relation=None)])
    sample = read(tmp_path, "val").samples[0]
    assert (sample.type, sample.tags) == (None, {})


def test_the_instruct_file_teaches_the_same_where_the_official_one_is_missing(
    tmp_path: Path,
) -> None:
    instruct = _write(tmp_path, "avqa_train_qa_instruct.json", [_record()])
    taught = read(tmp_path, "train")
    assert taught.files == [instruct]
    official = _write(
        tmp_path, "train_qa.json", [_item(question_type=None, question_relation=None)]
    )
    annotation = read(tmp_path, "train")
    assert annotation.files == [official]
    assert annotation.samples == taught.samples
    assert prompt(taught.samples[0], 0) == GOLDEN


def test_the_mapping_names_files_and_others_have_their_own_name(tmp_path: Path) -> None:
    path = _write(tmp_path, "val_qa.json", [_item(1), _item(2, video_name="x_000010")])
    mapping = _write(tmp_path, "avqa_from_vid_to_video_name.json", {CLIP: "a/b.mp4", "y": "y.mp4"})
    annotation = read(tmp_path, "val")
    assert annotation.files == [path, mapping]
    assert annotation.clip_files == {CLIP: ("a/b.mp4",), "x_000010": ("x_000010.mp4",)}


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        ([], "found no JSON object, expected {clip id: file name}" + PUBLISHED),
        ({CLIP: None}, f"clip '{CLIP}': found None, expected a file name" + PUBLISHED),
        (
            {CLIP: "../b.mp4"},
            f"clip '{CLIP}': found the file name '../b.mp4', expected a relative name that stays "
            "below the media root; correct the file",
        ),
        (
            {"other": "/b.mp4"},
            "clip 'other': found the file name '/b.mp4', expected a relative name that stays below "
            "the media root; correct the file",
        ),
    ],
)
def test_faults_of_the_mapping_are_sentences(tmp_path: Path, content: object, rest: str) -> None:
    _write(tmp_path, "val_qa.json", [_item()])
    mapping = _write(tmp_path, "avqa_from_vid_to_video_name.json", content)
    assert _refusal(tmp_path) == f"{mapping}: {rest}"


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        ({}, ": found an object, expected a list of objects" + PUBLISHED),
        (
            [{"video_name": CLIP}],
            ", item 0 (from 0): found no field 'id' among video_name, expected an integer"
            + PUBLISHED,
        ),
        (
            [_item(answer=...)],
            ": question '7': found no field 'answer' among id, multi_choice, question_relation, "
            "question_text, question_type, video_id, video_name, expected an integer" + PUBLISHED,
        ),
        (
            [_item(answer=4)],
            ": question '7': field 'answer': found 4, expected 0 to 3, the place of the right "
            "option" + PUBLISHED,
        ),
        (
            [_item(answer=-1)],
            ": question '7': field 'answer': found -1, expected 0 to 3, the place of the right "
            "option" + PUBLISHED,
        ),
        (
            [_item(multi_choice=["dog", "goat", "parrot"])],
            ": question '7': field 'multi_choice': found ['dog', 'goat', 'parrot'], expected 4 "
            "texts" + PUBLISHED,
        ),
        (
            [_item(multi_choice=["dog", "goat", "parrot", ["horse"]])],
            ": question '7': field 'multi_choice': found ['dog', 'goat', 'parrot', ['horse']], "
            "expected 4 texts" + PUBLISHED,
        ),
        (
            [_item(question_type=3)],
            ": question '7': field 'question_type': found an integer, expected a string"
            + PUBLISHED,
        ),
        (
            [_item(1), _item(2), _item(1)],
            ": found question '1' more than once, expected unique question ids; remove the "
            "duplicate",
        ),
        (
            [_item(video_name="../a")],
            ": question '7': found the file name '../a', expected a relative name that stays below "
            "the media root; correct the file",
        ),
        (
            [_item(video_name="a/b")],
            ": question '7': found the clip id 'a/b', expected a plain name without folders; "
            "correct the file",
        ),
    ],
)
def test_faults_of_the_file_are_sentences(tmp_path: Path, content: object, rest: str) -> None:
    path = _write(tmp_path, "val_qa.json", content)
    assert _refusal(tmp_path) == f"{path}{rest}"


@pytest.mark.parametrize(
    ("record", "rest"),
    [
        (
            _record(text="Which animal?"),
            "found a question that is not in the prompt of the evaluation, expected training and "
            "evaluation to ask alike; put the official train_qa.json beside the file",
        ),
        (_record(answer="E"), "found the answer 'E', expected one of A, B, C, D" + PUBLISHED),
        (
            _record(
                conversations=[
                    {"from": "human", "value": "<image>\nx"},
                    {"from": "gpt", "value": "A"},
                    {"from": "human", "value": "y"},
                    {"from": "gpt", "value": "B"},
                ]
            ),
            "found 2 questions, expected one question and one answer" + PUBLISHED,
        ),
        (
            _record(conversations=[{"from": "human", "value": "<image>\nx"}]),
            "field 'conversations': found turns of human, expected human and gpt in turn, gpt last"
            + PUBLISHED,
        ),
        (
            _record(conversations=[]),
            "field 'conversations': found turns of nobody, expected human and gpt in turn, gpt "
            "last" + PUBLISHED,
        ),
        (
            _record(conversations="x"),
            "field 'conversations': found a string, expected a list" + PUBLISHED,
        ),
        (
            _record(text="<image>"),
            "field 'conversations': found <image> 2 times, expected it once, alone on the first "
            "line of the first turn" + PUBLISHED,
        ),
        (
            _record(
                conversations=[
                    {"from": "human", "value": "x <image>"},
                    {"from": "gpt", "value": "A"},
                ]
            ),
            "field 'conversations': found <image> 1 times, expected it once, alone on the first "
            "line of the first turn" + PUBLISHED,
        ),
        (_record(id=None), "field 'id': found null, expected a string" + PUBLISHED),
        (
            _record(video="a/b.mp4"),
            "found the clip id 'a/b', expected a plain name without folders; correct the file",
        ),
    ],
)
def test_faults_of_an_instruct_record_are_sentences(
    tmp_path: Path, record: dict[str, Any], rest: str
) -> None:
    path = _write(tmp_path, "avqa_train_qa_instruct.json", [record])
    assert _refusal(tmp_path, "train") == f"{path}, item 0 (from 0): {rest}"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (_record(answer=""), "empty answer"),
        (_record(text=" "), "empty question"),
        (_record(text=GOLDEN.replace(QUESTION, " ")), "empty question"),
    ],
)
def test_blank_instruct_records_need_a_budget(
    tmp_path: Path, record: dict[str, Any], reason: str
) -> None:
    path = _write(tmp_path, "avqa_train_qa_instruct.json", [_record(), record])
    assert _refusal(tmp_path, "train", 0.0) == (
        f"{path}: question '7#2': found {reason} (1 of 2 questions are unusable), expected at most "
        "the share allow_missing = 0; correct the file, or "
        "of a training split raise allow_missing"
    )
    assert read(tmp_path, "train", 0.5).dropped == {reason: 1}


def test_blank_questions_need_a_budget_and_are_counted(tmp_path: Path) -> None:
    path = _write(tmp_path, "val_qa.json", [_item(1), _item(2, question_text=" ")])
    assert _refusal(tmp_path, allow_missing=0.4) == (
        f"{path}: question '2': found empty question (1 of 2 questions are unusable), expected at "
        "most the share allow_missing = 0.4; correct the file, or "
        "of a training split raise allow_missing"
    )
    annotation = read(tmp_path, "val", 0.5)
    assert annotation.dropped == {"empty question": 1}
    assert [sample.id for sample in annotation.samples] == ["1"]


@pytest.mark.parametrize(("split", "name"), [("train", "train_qa.json"), ("val", "val_qa.json")])
def test_a_missing_file_says_how_to_get_it(tmp_path: Path, split: str, name: str) -> None:
    if split == "val":  # the instruct file stands in for training alone
        _write(tmp_path, "avqa_train_qa_instruct.json", [_record()])
    assert _refusal(tmp_path, split) == (
        f"{tmp_path}/{name}: file not found, expected the {split} annotation; download "
        "train_qa.json and val_qa.json from the AVQA site (mn.cs.tsinghua.edu.cn/avqa) or its "
        "repository AlyssaYoung/AVQA, and the clips from VGGSound"
    )


def test_an_unknown_split_lists_the_known(tmp_path: Path) -> None:
    assert _refusal(tmp_path, "test") == (
        "split: found 'test', expected one of train, val; correct the recipe"
    )


def test_accuracy_has_one_denominator(tmp_path: Path) -> None:
    _write(
        tmp_path,
        "val_qa.json",
        [
            _item(1),
            _item(2, question_type="Why", question_relation="Sound"),
            _item(3, answer=0),
            _item(4, answer=3),
            _item(5, answer=2),
        ],
    )
    samples = read(tmp_path, "val").samples
    # Right; right; "a" is no letter; blank; none given.
    scores = AVQA.score(samples, {"1": "B", "2": " B", "3": "a dog", "4": " "})
    assert tuple(scores.metrics) == AVQA.metrics
    assert scores.metrics == {"accuracy": Metric(2 / 5, 5)}
    assert (scores.samples, scores.missing, scores.empty) == (5, 1, 1)
    assert scores.groups == {
        "type": {
            "Which": {"accuracy": Metric(1 / 4, 4)},
            "Why": {"accuracy": Metric(1.0, 1)},
        },
        "relation": {
            "Both": {"accuracy": Metric(1 / 4, 4)},
            "Sound": {"accuracy": Metric(1.0, 1)},
        },
    }
