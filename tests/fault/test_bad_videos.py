"""A video that cannot be decoded: without a budget its name and the reason, with one its count."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lynx.artifacts.manifest import read_manifest
from lynx.benchmarks.stage import run_data
from lynx.errors import InputError
from lynx.media.stage import run_frames
from lynx.project import Project
from tests.media_writer import write_film
from tests.project_copy import copy_tree, edit_yaml, load

VIDEOS = Path("raw/videos")
FRAMES = Path("runs/demo/frames/vggsound")
NAMES = [f"clip{n}" for n in range(4)]
BROKEN = "clip2"


def questions(names: list[str]) -> str:
    return json.dumps(
        [
            {
                "id": NAMES.index(name),
                "video_name": name,
                "video_id": number,
                "question_text": "Which animal makes the sound?",
                "multi_choice": ["dog", "goat", "parrot", "horse"],
                "answer": 1,
                "question_relation": "Both",
                "question_type": "Which",
            }
            for number, name in enumerate(names)
        ]
    )


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with four films of AVQA, one of which is cut to a few bytes."""
    root = copy_tree(tmp_path / "project")
    edit_yaml(root / "config/scales/demo.yaml", {"worlds": {}})
    edit_yaml(root / "config/config.yaml", {"benchmarks": ["avqa"]})
    data = {"avqa": "raw", "avqa_videos": VIDEOS.as_posix()}
    edit_yaml(root / "config/site.yaml", {"workers": 1, "data": data})
    monkeypatch.chdir(root)
    VIDEOS.mkdir(parents=True)
    for split, names in (("train", NAMES[:3]), ("val", NAMES[3:])):
        Path(f"raw/{split}_qa.json").write_text(questions(names), encoding="utf-8")
    sound = np.sin(np.arange(16000, dtype=np.float32) / 20)[None]
    for name in NAMES:
        write_film(VIDEOS / f"{name}.mp4", sound, 16000)
    return root


def prepared(**overrides: object) -> Project:
    project = load(Path(), **overrides)
    run_data(project, "avqa")
    run_frames(project, "vggsound", NAMES)
    return project


def listed() -> dict[str, object]:
    lines = (FRAMES / "videos-avqa.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["clip"]: row for row in map(json.loads, lines)}


def test_without_a_budget_it_is_named_and_nothing_is_published(raw: Path) -> None:
    path = VIDEOS / f"{BROKEN}.mp4"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(InputError) as caught:
        prepared()
    assert str(caught.value).startswith(f"{path}: found ")
    assert str(caught.value).endswith(" (1 of 4 clips are missing, allow_missing = 0)")
    assert not FRAMES.exists()
    path.write_bytes(whole)
    prepared()
    assert list(listed()) == NAMES


def test_within_a_budget_it_is_counted_and_the_others_stay_as_they_were(raw: Path) -> None:
    prepared()
    undisturbed = listed()
    path = VIDEOS / f"{BROKEN}.mp4"
    path.write_bytes(path.read_bytes()[:100])
    prepared(overrides={"frames.allow_missing": 0.25})
    assert listed() == {name: row for name, row in undisturbed.items() if name != BROKEN}
    counts = read_manifest(FRAMES).counts
    assert (counts["avqa videos"], counts["avqa missing"]) == (3, 1)
    (line,) = (FRAMES / "missing-avqa.jsonl").read_text(encoding="utf-8").splitlines()
    missing = json.loads(line)
    assert missing["clip"] == BROKEN
    with pytest.raises(InputError, match=r"\(1 of 4 clips are missing, allow_missing = 0\.2\)$"):
        prepared(overrides={"frames.allow_missing": 0.2})
