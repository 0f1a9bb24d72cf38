from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lynx.benchmarks.egoexo import BENCHMARK as EGOEXO
from lynx.benchmarks.egoexo import MAPPING, prompt, read
from lynx.benchmarks.sample import Sample, Turn
from lynx.benchmarks.scores import Metric
from lynx.errors import InputError

ASKED = "In this video a person does something. Choose a level. Example Output: Early Expert"
TRAIN, VAL = (f"proficiency_demonstrator_{split}_instruct.json" for split in ("train", "val"))
OFFICIAL_TRAIN, OFFICIAL = (f"proficiency_demonstrator_{split}.json" for split in ("train", "val"))
FOLDER = "takes/toy_dance_1/frame_aligned_videos"
VIEWS = tuple(f"{FOLDER}/downscaled/448/{name}.mp4" for name in ("aria_214-1", "cam01", "cam02"))
PUBLISHED = "; use the file as published"
CLASSES = "Novice, Early Expert, Intermediate Expert, Late Expert"
HOW = (
    "sign the Ego-Exo4D licence, get the official files with `egoexo --parts annotations "
    "--benchmarks proficiency_demonstrator`, and get proficiency_demonstrator_train_instruct.json, "
    "which holds the prompt, from the data release of PAVE"
)


def _row(take: str = "t1", label: str = "Early Expert", **changes: Any) -> dict[str, Any]:
    item = {
        "take_uid": take,
        "scenario_name": "Dance",
        "task_name": "Basic choreography",
        "origin_participant_id": 42,
        "proficiency_score": label,
        "video_paths": {
            "exo2": f"{FOLDER}/cam02.mp4",
            "exo1": f"{FOLDER}/cam01.mp4",
            "ego": f"{FOLDER}/aria_214-1.mp4",
        },
    }
    return {key: value for key, value in (item | changes).items() if value is not ...}


def _record(take: str = "t1", label: str = "Early Expert", asked: str = ASKED) -> dict[str, Any]:
    turns = [{"from": "human", "value": f"<image>\n{asked}"}, {"from": "gpt", "value": label}]
    return {"id": take, "video": take, "conversations": turns}


def _write(root: Path, name: str, content: object) -> Path:
    path = root / name
    path.write_text(json.dumps(content))
    return path


def _official(root: Path, *rows: dict[str, Any], name: str = OFFICIAL) -> Path:
    return _write(root, name, {"annotations": list(rows)})


def _refusal(root: Path, split: str = "val", allow_missing: float = 1.0) -> str:
    with pytest.raises(InputError) as caught:
        read(root, split, allow_missing)
    return str(caught.value)


def test_the_instruct_file_asks_and_the_official_file_names_views(tmp_path: Path) -> None:
    instruct = _write(tmp_path, VAL, [_record()])
    official = _official(tmp_path, _row(), _row("unasked"))
    annotation = read(tmp_path, "val")
    assert annotation.samples == [
        Sample(
            id="t1",
            clip="t1",
            turns=(Turn(question=ASKED, answer="Early Expert"),),
            references=("Early Expert",),
            tags={"scenario": "Dance"},
        )
    ]
    assert prompt(annotation.samples[0], 0) == ASKED
    assert annotation.clip_files == {"t1": VIEWS}
    assert annotation.files == [instruct, official]
    assert EGOEXO.splits == ("train", "val")


@pytest.mark.parametrize("absent", [None, "", " "])
def test_a_camera_that_a_take_was_not_filmed_with_is_left_out(
    tmp_path: Path, absent: str | None
) -> None:
    _write(tmp_path, VAL, [_record(), _record("alone")])
    row = _row()
    paths = {**row["video_paths"], "exo1": absent, "exo3": absent}
    _official(
        tmp_path,
        {**row, "video_paths": paths},
        _row("alone", video_paths={"ego": paths["ego"], "exo1": absent}),
    )
    assert (
        read(tmp_path, "val").clip_files
        == {
            "t1": (VIEWS[0], VIEWS[2]),  # the next camera takes its place
            "alone": VIEWS[:1],
        }
    )


def test_the_mapping_names_one_view_where_the_official_file_is_missing(tmp_path: Path) -> None:
    instruct = _write(tmp_path, TRAIN, [_record()])
    mapping = _write(tmp_path, MAPPING, {"t1": "ego/t1.mp4", "t2": "ego/t2.mp4"})
    annotation = read(tmp_path, "train")
    assert annotation.files == [instruct, mapping]
    assert annotation.clip_files == {"t1": ("ego/t1.mp4",)}
    assert annotation.samples[0].tags == {}


def test_validation_is_asked_with_the_prompt_of_training(tmp_path: Path) -> None:
    instruct = _write(tmp_path, TRAIN, [_record("x"), _record("y", "Novice")])
    official = _official(tmp_path, _row("t1"), _row("t2", "Novice"), _row("t1", "Late Expert"))
    annotation = read(tmp_path, "val")
    found = [(s.id, s.clip, s.references, s.turns[0].question) for s in annotation.samples]
    assert found == [
        ("t1", "t1", ("Early Expert",), ASKED),
        ("t1#2", "t1", ("Late Expert",), ASKED),
        ("t2", "t2", ("Novice",), ASKED),
    ]
    assert annotation.files == [instruct, official]
    (tmp_path / VAL).write_text(json.dumps([_record("t2", "Novice")]))
    assert [sample.id for sample in read(tmp_path, "val").samples] == ["t2"]


def test_validation_needs_one_prompt(tmp_path: Path) -> None:
    source = _write(tmp_path, TRAIN, [_record(), _record("t2", asked="Another?")])
    _official(tmp_path, _row())
    assert _refusal(tmp_path) == (
        f"{source}: found 2 different prompts, expected one to ask the official validation file "
        f"with; put {VAL} beside the file"
    )


def test_records_of_one_take_are_numbered(tmp_path: Path) -> None:
    _write(tmp_path, TRAIN, [_record(), _record("t2"), _record("t1", "Novice")])
    _write(tmp_path, MAPPING, {"t1": "t1.mp4", "t2": "t2.mp4"})
    samples = read(tmp_path, "train").samples
    assert [(sample.id, sample.clip) for sample in samples] == [
        ("t1", "t1"),
        ("t2", "t2"),
        ("t1#2", "t1"),
    ]


def test_earlier_turns_stay_and_the_last_answer_is_gold(tmp_path: Path) -> None:
    record = _record()
    record["conversations"] += [
        {"from": "human", "value": "And now?"},
        {"from": "gpt", "value": "Novice"},
    ]
    _write(tmp_path, TRAIN, [record])
    _write(tmp_path, MAPPING, {"t1": "t1.mp4"})
    sample = read(tmp_path, "train").samples[0]
    assert [turn.question for turn in sample.turns] == [ASKED, "And now?"]
    assert sample.references == ("Novice",)


@pytest.mark.parametrize(
    ("label", "rest"),
    [
        ("Expert", f"found the answer 'Expert', expected one of {CLASSES}" + PUBLISHED),
        (
            "Novice",
            "found the answer 'Novice', expected Early Expert or Late Expert as in {official}; get "
            "both files of one split again",
        ),
    ],
)
def test_answers_are_class_names_of_the_take(tmp_path: Path, label: str, rest: str) -> None:
    instruct = _write(tmp_path, VAL, [_record(label=label)])
    official = _official(tmp_path, _row(), _row(label="Late Expert"))
    place = f"{instruct}, item 0 (from 0)"
    assert _refusal(tmp_path) == f"{place}: {rest.format(official=official)}"


@pytest.mark.parametrize(
    ("row", "rest"),
    [
        (
            _row(label="Expert"),
            f"found the answer 'Expert', expected one of {CLASSES}" + PUBLISHED,
        ),
        (
            _row(scenario_name=...),
            "found no field 'scenario_name' among origin_participant_id, proficiency_score, "
            "take_uid, task_name, video_paths, expected a string" + PUBLISHED,
        ),
        (
            _row(video_paths={"exo1": f"{FOLDER}/cam01.mp4"}),
            "field 'video_paths': found no field 'ego' among exo1, expected a string" + PUBLISHED,
        ),
        (
            _row(video_paths={"ego": None, "exo1": f"{FOLDER}/cam01.mp4"}),
            "field 'video_paths': field 'ego': found null, expected a string" + PUBLISHED,
        ),
        (
            _row(video_paths={"ego": f"{FOLDER}/aria_214-1.mp4", "exo1": 3}),
            "field 'video_paths': field 'exo1': found an integer, expected a string" + PUBLISHED,
        ),
        (
            _row(video_paths={"ego": "takes/toy/a.mp4"}),
            "field 'video_paths': found the video 'takes/toy/a.mp4', expected "
            "takes/<take>/frame_aligned_videos/<camera>.mp4" + PUBLISHED,
        ),
        (
            _row(video_paths={"ego": "../frame_aligned_videos/a.mp4"}),
            "field 'video_paths': found the file name '../frame_aligned_videos/a.mp4', expected a "
            "relative name that stays below the media root; correct the file",
        ),
    ],
)
def test_faults_of_the_official_file_are_sentences(
    tmp_path: Path, row: dict[str, Any], rest: str
) -> None:
    _write(tmp_path, VAL, [_record()])
    official = _official(tmp_path, row)
    assert _refusal(tmp_path) == f"{official}: take 't1': {rest}"


def test_rows_of_one_take_agree(tmp_path: Path) -> None:
    _write(tmp_path, VAL, [_record()])
    official = _official(tmp_path, _row(), _row(scenario_name="Music"))
    assert _refusal(tmp_path) == (
        f"{official}: take 't1': found rows with different scenarios or videos, expected one take "
        "to have the same in all its rows" + PUBLISHED
    )


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        ([], ": found no JSON object, expected one with the list 'annotations'" + PUBLISHED),
        ({}, ": found no field 'annotations' among no fields, expected a list" + PUBLISHED),
        (
            {"annotations": [{}]},
            ", 'annotations', item 0 (from 0): found no field 'take_uid' among no fields, expected "
            "a string" + PUBLISHED,
        ),
    ],
)
def test_the_official_file_has_its_shape(tmp_path: Path, content: object, rest: str) -> None:
    _write(tmp_path, VAL, [_record()])
    official = _write(tmp_path, OFFICIAL, content)
    assert _refusal(tmp_path) == f"{official}{rest}"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (_record("t9"), f"take without a video in {MAPPING}"),
        (_record(label=""), "empty answer"),
        (_record(asked=" "), "empty question"),
    ],
)
def test_unusable_records_need_a_budget_and_are_counted(
    tmp_path: Path, record: dict[str, Any], reason: str
) -> None:
    path = _write(tmp_path, TRAIN, [_record("t1"), record])
    _write(tmp_path, MAPPING, {"t1": "t1.mp4"})
    name = "t9" if record["id"] == "t9" else "t1#2"
    assert _refusal(tmp_path, "train", 0.4) == (
        f"{path}: question '{name}': found {reason} (1 of 2 questions are unusable), expected at "
        "most the share allow_missing = 0.4; correct the file, or "
        "of a training split raise allow_missing"
    )
    assert read(tmp_path, "train", 0.5).dropped == {reason: 1}


@pytest.mark.parametrize(
    ("split", "there", "missing"),
    [("train", [], TRAIN), ("val", [TRAIN], OFFICIAL), ("val", [OFFICIAL], TRAIN)],
)
def test_a_missing_file_says_how_to_get_it(
    tmp_path: Path, split: str, there: list[str], missing: str
) -> None:
    for name in there:
        _write(tmp_path, name, {"annotations": []})
    which = "train" if missing == TRAIN else "val"
    assert _refusal(tmp_path, split) == (
        f"{tmp_path}/{missing}: file not found, expected the {which} annotation; {HOW}"
    )


def test_without_official_file_and_mapping_the_videos_are_unknown(tmp_path: Path) -> None:
    _write(tmp_path, TRAIN, [_record()])
    assert _refusal(tmp_path, "train") == (
        f"{tmp_path}/{OFFICIAL_TRAIN}: file not found, expected it, or {MAPPING} beside it, to "
        f"name the videos; {HOW}"
    )


def test_an_unknown_split_lists_the_known(tmp_path: Path) -> None:
    assert _refusal(tmp_path, "test") == (
        "split: found 'test', expected one of train, val; correct the recipe"
    )


def test_accuracy_overall_and_by_scenario(tmp_path: Path) -> None:
    labels = ["Novice", "Early Expert", "Late Expert", "Intermediate Expert", "Novice"]
    _write(tmp_path, VAL, [_record(f"t{n}", label) for n, label in enumerate(labels)])
    scenarios = ["Dance", "Dance", "Music", "Music", "Music"]
    _official(
        tmp_path,
        *(
            _row(f"t{n}", label, scenario_name=scenario)
            for n, (label, scenario) in enumerate(zip(labels, scenarios, strict=True))
        ),
    )
    samples = read(tmp_path, "val").samples
    predictions = {
        "t0": "Novice",  # right by both
        "t1": "early expert",  # the substring minds the case
        "t2": "Early Expert or Late Expert",  # two classes are no choice, yet a substring
        "t3": "",  # blank: wrong
    }
    scores = EGOEXO.score(samples, predictions)
    assert tuple(scores.metrics) == EGOEXO.metrics
    assert scores.metrics == {
        "accuracy": Metric(2 / 5, 5),
        "substring_accuracy": Metric(2 / 5, 5),
    }
    assert (scores.samples, scores.missing, scores.empty) == (5, 1, 1)
    assert scores.groups == {
        "scenario": {
            "Dance": {"accuracy": Metric(1.0, 2), "substring_accuracy": Metric(1 / 2, 2)},
            "Music": {"accuracy": Metric(0.0, 3), "substring_accuracy": Metric(1 / 3, 3)},
        }
    }
