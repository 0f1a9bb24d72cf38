from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lynx.benchmarks.mlvu import BENCHMARK, TASKS, read
from lynx.benchmarks.sample import Sample, Turn
from lynx.errors import InputError

PUBLISHED = "; use the file as published"


def _item(**changes: Any) -> dict[str, Any]:
    item = {
        "video": "toy_ego_1.mp4",
        "duration": 512.0,
        "question": "What did I pick up?",
        "candidates": ["cup", "key", "pen", "box"],
        "answer": "key",
        "question_type": "ego",
    }
    return {key: value for key, value in (item | changes).items() if value is not ...}


def _write(root: Path, skip: str = "", **items: list[dict[str, Any]]) -> Path:
    (root / "json").mkdir()
    for task, stem in TASKS.items():
        if task != skip:
            (root / f"json/{stem}.json").write_text(json.dumps(items.get(task, [])))
    return root


def _refusal(root: Path, split: str = "dev", allow_missing: float = 0.0) -> str:
    with pytest.raises(InputError) as caught:
        read(root, split, allow_missing)
    return str(caught.value)


def test_a_question_becomes_a_sample(tmp_path: Path) -> None:
    found = read(_write(tmp_path, ego=[_item()], count=[_item(candidates=[2, 7], answer=7)]), "dev")
    ego, count = found.samples
    assert ego == Sample(
        id="ego-0",
        clip="3_ego--toy_ego_1.mp4",
        turns=(Turn(question="What did I pick up?", answer="B"),),
        references=("B",),
        type="ego",
        options=("cup", "key", "pen", "box"),
    )
    assert (count.clip, count.options, count.references) == (
        "4_count--toy_ego_1.mp4",
        ("2", "7"),
        ("B",),
    )
    assert found.clip_files == {
        "3_ego--toy_ego_1.mp4": ("video/3_ego/toy_ego_1.mp4",),
        "4_count--toy_ego_1.mp4": ("video/4_count/toy_ego_1.mp4",),
    }
    assert BENCHMARK.splits == ("dev",)


def test_the_tasks_of_generation_are_not_read(tmp_path: Path) -> None:
    root = _write(tmp_path, ego=[_item()])
    (root / "json/9_summary.json").write_text("no JSON")
    assert [path.name for path in read(root, "dev").files] == [
        f"{stem}.json" for stem in TASKS.values()
    ]


def test_a_missing_task_is_named(tmp_path: Path) -> None:
    root = _write(tmp_path, skip="order")
    assert _refusal(root) == (
        f"{root}/json/5_order.json: file not found, expected the order annotation; accept the "
        "agreement of MLVU/MVLU on the Hugging Face hub and copy the folders json and video of "
        "its folder MLVU"
    )


@pytest.mark.parametrize(
    ("item", "rest"),
    [
        (
            _item(answer="knife"),
            "field 'answer': found 'knife', expected one of the options cup, key, pen, box"
            + PUBLISHED,
        ),
        (
            _item(candidates=list("abcde"), answer="a"),
            "field 'candidates': found ['a', 'b', 'c', 'd', 'e'], expected 2 to 4 texts"
            + PUBLISHED,
        ),
        (
            _item(candidates=...),
            "found no field 'candidates' among answer, duration, question, question_type, video, "
            "expected a list" + PUBLISHED,
        ),
        (
            _item(video="3_ego/toy.mp4"),
            "field 'video': found '3_ego/toy.mp4', expected a file name without folders"
            + PUBLISHED,
        ),
    ],
)
def test_faults_are_sentences(tmp_path: Path, item: dict[str, Any], rest: str) -> None:
    root = _write(tmp_path, ego=[item])
    assert _refusal(root) == f"{root}/json/3_ego.json, item 0 (from 0): {rest}"


def test_an_empty_question_needs_a_budget(tmp_path: Path) -> None:
    root = _write(tmp_path, ego=[_item(), _item(question="")])
    assert _refusal(root) == (
        f"{root}/json/3_ego.json: question 'ego-1': found empty question (1 of 2 questions are "
        "unusable), expected at most the share allow_missing = 0; correct the file, or of a "
        "training split raise allow_missing"
    )
    assert read(root, "dev", 0.5).dropped == {"empty question": 1}


def test_an_unknown_split_lists_the_known(tmp_path: Path) -> None:
    assert _refusal(tmp_path, "test") == (
        "split: found 'test', expected one of dev; correct the recipe"
    )
