from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lynx.benchmarks.mvbench import BENCHMARK, SPLITS, TASKS, prompt, read
from lynx.errors import InputError

PUBLISHED = "; use the file as published"
SEGMENTS = "video/tvqa/video_fps3_hq_segment"


def _item(**changes: Any) -> dict[str, Any]:
    item = {
        "video": "toy_0001.mp4",
        "question": "What happened?",
        "candidates": ["Opened a book", "Left", "Slept"],
        "answer": "Slept",
    }
    return {key: value for key, value in (item | changes).items() if value is not ...}


def _write(root: Path, skip: str = "", **items: list[dict[str, Any]]) -> Path:
    (root / "json").mkdir()
    for task in TASKS:
        if task != skip:
            (root / f"json/{task}.json").write_text(json.dumps(items.get(task, [])))
    return root


def _refusal(root: Path, split: str = "test", allow_missing: float = 0.0) -> str:
    with pytest.raises(InputError) as caught:
        read(root, split, allow_missing)
    return str(caught.value)


def test_there_are_twenty_tasks_five_of_them_in_parts() -> None:
    assert len(TASKS) == 20
    parts = {"action_sequence", "action_prediction", "object_interaction", "action_localization"}
    assert {name for name, task in TASKS.items() if task.cut} == parts
    assert SPLITS["test"] == tuple(TASKS)
    assert set(SPLITS["test"]) - set(SPLITS["test_without_pose"]) == {"fine_grained_pose"}
    assert BENCHMARK.splits == ("test", "test_without_pose")


def test_clips_are_cut_where_the_task_says_so(tmp_path: Path) -> None:
    part = {"start": 2, "end": 9.5}
    found = read(
        _write(
            tmp_path,
            action_sequence=[_item(**part), _item(**part), _item(start=0.0, end=2)],
            object_interaction=[_item(**part)],
            moving_count=[_item(**part, candidates=[0, 1], answer="1")],
            episodic_reasoning=[_item(video="toy_s01", **part)],
        ),
        "test",
    )
    star, film = "star--Charades_v1_480--toy_0001.mp4", "video/star/Charades_v1_480/toy_0001.mp4"
    whole = "clevrer--video_validation--toy_0001.mp4"
    cut = "tvqa--video_fps3_hq_segment--toy_s01.mp4"
    assert found.clip_files == {
        f"{star}@2.0-9.5": (film,),
        f"{star}@0.0-2.0": (film,),
        whole: ("video/clevrer/video_validation/toy_0001.mp4",),
        cut: (f"{SEGMENTS}/toy_s01.mp4",),
    }
    assert found.clip_bounds == {f"{star}@2.0-9.5": (2.0, 9.5), f"{star}@0.0-2.0": (0.0, 2.0)}
    by_id = {sample.id: sample for sample in found.samples}
    assert by_id["action_sequence-0"].clip == by_id["object_interaction-0"].clip
    assert by_id["moving_count-0"].options == ("0", "1")
    assert by_id["moving_count-0"].references == ("B",)
    assert by_id["action_sequence-2"].type == "action_sequence"
    assert found.files == [tmp_path / f"json/{task}.json" for task in TASKS]


def test_prompt_of_two_options(tmp_path: Path) -> None:
    item = _item(candidates=["Yes ", "No"], answer="No", question="Is it red?")
    (sample,) = read(_write(tmp_path, state_change=[item]), "test").samples
    assert prompt(sample, 0) == (
        "Question:Is it red?\nOption:\n(A) Yes\n(B) No\nOnly give the best option.\n"
    )


@pytest.mark.parametrize("task", ["action_antonym", "fine_grained_pose"])
def test_a_missing_task_is_named(tmp_path: Path, task: str) -> None:
    root = _write(tmp_path, skip=task)
    assert _refusal(root) == (
        f"{root}/json/{task}.json: file not found, expected the {task} annotation; accept the "
        "terms of OpenGVLab/MVBench on the Hugging Face hub and copy its folders json and video, "
        "with the archives in video unpacked"
    )


def test_nineteen_tasks_are_a_split_of_their_own(tmp_path: Path) -> None:
    root = _write(tmp_path, skip="fine_grained_pose", action_antonym=[_item()])
    found = read(root, "test_without_pose")
    assert [sample.id for sample in found.samples] == ["action_antonym-0"]
    assert len(found.files) == 19


def test_folders_of_frames_are_not_read(tmp_path: Path) -> None:
    root = _write(tmp_path)
    frames = root / "video/tvqa/frames_fps3_hq"
    frames.mkdir(parents=True)
    assert _refusal(root) == (
        f"{frames}: found folders of frames, expected videos because clips are read from video "
        "files; copy the folder tvqa/video_fps3_hq_segment of the hub dataset's branch 'video' to "
        f"{root}/{SEGMENTS}"
    )
    (root / SEGMENTS).mkdir()
    assert read(root, "test").samples == []


@pytest.mark.parametrize(
    ("item", "rest"),
    [
        (
            _item(end=3),
            "field 'start': found None, expected seconds because clips of this task are parts of "
            "their videos" + PUBLISHED,
        ),
        (
            _item(start="1", end=3),
            "field 'start': found '1', expected seconds because clips of this task are parts of "
            "their videos" + PUBLISHED,
        ),
        (
            _item(start=0, end=float("inf")),
            "field 'end': found inf, expected seconds because clips of this task are parts of "
            "their videos" + PUBLISHED,
        ),
        (
            _item(start=3, end=3),
            "found a clip from 3 s to 3 s, expected an end behind the start" + PUBLISHED,
        ),
        (
            _item(start=0, end=1, answer="slept"),
            "field 'answer': found 'slept', expected one of the options Opened a book, Left, Slept"
            + PUBLISHED,
        ),
        (
            _item(start=0, end=1, candidates=["Left", None]),
            "field 'candidates': found ['Left', None], expected 2 to 5 texts" + PUBLISHED,
        ),
        (
            _item(start=0, end=1, candidates=list("abcdef")),
            "field 'candidates': found ['a', 'b', 'c', 'd', 'e', 'f'], expected 2 to 5 texts"
            + PUBLISHED,
        ),
        (
            _item(start=0, end=1, question=...),
            "found no field 'question' among answer, candidates, end, start, video, expected a "
            "string" + PUBLISHED,
        ),
        (
            _item(start=0, end=1, video="../toy.mp4"),
            "found the file name 'video/star/Charades_v1_480/../toy.mp4', expected a relative name "
            "that stays below the media root; correct the file",
        ),
    ],
)
def test_faults_are_sentences(tmp_path: Path, item: dict[str, Any], rest: str) -> None:
    root = _write(tmp_path, action_sequence=[item])
    assert _refusal(root) == f"{root}/json/action_sequence.json, item 0 (from 0): {rest}"


def test_an_empty_question_needs_a_budget(tmp_path: Path) -> None:
    root = _write(tmp_path, state_change=[_item(), _item(question=" ")])
    assert _refusal(root) == (
        f"{root}/json/state_change.json: question 'state_change-1': found empty question (1 of 2 "
        "questions are unusable), expected at most the share allow_missing = 0; correct the file, "
        "or of a training split raise allow_missing"
    )
    assert read(root, "test", 0.5).dropped == {"empty question": 1}


def test_an_unknown_split_lists_the_known(tmp_path: Path) -> None:
    assert _refusal(tmp_path, "val") == (
        "split: found 'val', expected one of test, test_without_pose; correct the recipe"
    )


def test_tasks_weigh_the_same_in_the_mean(tmp_path: Path) -> None:
    """3 of 3 right in one task, 0 of 1 in another, whose blank answer stays in the count."""
    samples = read(
        _write(tmp_path, state_change=[_item()] * 3, vlnqa=[], action_count=[_item()]), "test"
    ).samples
    answers = {f"state_change-{number}": "C" for number in range(3)} | {"action_count-0": ""}
    metrics = BENCHMARK.score(samples, answers).metrics
    assert {name: metric.value for name, metric in metrics.items()} == {
        "mean_accuracy": 0.5,
        "accuracy": 0.75,
        "strict_accuracy": 0.75,
    }


def test_replaced_videos_must_lie_where_the_annotation_names_them(tmp_path: Path) -> None:
    root = _write(tmp_path, action_antonym=[_item()])
    apart = root / "video/data0613/star/Charades_v1_480/toy.mp4"
    apart.parent.mkdir(parents=True)
    apart.touch()
    belongs = root / "video/star/Charades_v1_480/toy.mp4"
    assert _refusal(root) == (
        f"{apart}: found a replaced video, expected it at {belongs}, where the annotation names "
        f"it; copy them all, `cp -r {root}/video/data0613/. {root}/video/`"
    )
    belongs.parent.mkdir(parents=True)
    belongs.touch()
    assert len(read(root, "test").samples) == 1
