"""A video that cannot be decoded: without a budget its name and the reason, with one its count.

The count goes on into the score, where its questions are wrong.
"""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

from lynx.artifacts.manifest import read_manifest
from lynx.benchmarks.stage import run_data
from lynx.errors import InputError
from lynx.media.stage import run_frames
from lynx.project import Project
from tests.media_writer import packets, write_film
from tests.project_copy import ROOT, copy_tree, edit_yaml, load

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


def cut_in_half(path: Path) -> None:
    """As a download that stopped leaves a film whose header stands in front."""
    whole = path.with_name("whole.mp4")
    with (
        av.open(str(path)) as old,
        av.open(str(whole), "w", options={"movflags": "faststart"}) as new,
    ):
        streams = {each.index: new.add_stream_from_template(each) for each in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    data, end = whole.read_bytes(), packets(whole)[12][0] + 3
    whole.unlink()
    path.write_bytes(data[:end])


def answered(allow_missing: float) -> Project:
    """The base alone, asked about the films that can be read."""
    from lynx.evaluate.stage import run_predict
    from lynx.features.stage import run_features
    from lynx.model.stage import run_base

    project = prepared(overrides={"frames.allow_missing": allow_missing})
    run_base(project)
    run_features(project, "avqa", "val", "video")
    run_predict(project, "zero-shot", "avqa")
    return project


@pytest.fixture
def asked(raw: Path) -> Path:
    """Four questions about two films, one of which is cut in half; and the base that ships."""
    Path("raw/train_qa.json").write_text(questions(NAMES[:2]), encoding="utf-8")
    rows = json.loads(questions(NAMES[2:]))
    more = [row | {"id": row["id"] + 10, "question_text": "Who else?"} for row in rows]
    Path("raw/val_qa.json").write_text(json.dumps(rows + more), encoding="utf-8")
    Path("models").symlink_to(ROOT / "models")
    edit_yaml(Path("config/site.yaml"), {"device": "cpu", "threads": 1})
    cut_in_half(VIDEOS / f"{BROKEN}.mp4")
    return raw


def test_its_questions_are_missing_in_the_score_and_wrong(asked: Path) -> None:
    from lynx.evaluate.stage import run_score

    project = answered(allow_missing=0.25)
    assert "bytes that end after 12 frames" in (FRAMES / "missing-avqa.jsonl").read_text()
    run_score(project, "zero-shot", "avqa")
    report = json.loads(project.layout.metrics("zero-shot", "avqa", 0).read_text(encoding="utf-8"))
    assert (report["samples"], report["missing"]) == (4, 2)
    assert report["clips"]["all"] == 2
    assert report["clips"]["unreadable"] == 1
    assert {item["count"] for item in report["metrics"].values()} == {4}
    assert report["metrics"]["accuracy"]["value"] <= 0.5
    folder = project.layout.predictions("zero-shot", "avqa", 0)
    lines = (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["scene_id"] for line in lines} == {NAMES[3]}


def test_where_all_that_is_asked_is_missing_there_is_no_answer(asked: Path) -> None:
    """The budget is of all films, those for training too."""
    scored = {row["video_name"] for row in json.loads(Path("raw/val_qa.json").read_text())}
    for name in scored:
        (VIDEOS / f"{name}.mp4").write_bytes(b"no film")
    with pytest.raises(InputError) as caught:
        answered(allow_missing=0.9)
    assert str(caught.value) == (
        "split 'val' of avqa: found no clip that can be read, expected one at least; stage frames "
        "has listed them as missing, so get the files or lower frames.allow_missing"
    )
