"""Takes that lack a view: one that X is drawn from is counted, any other is not looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lynx.artifacts.manifest import read_manifest
from lynx.benchmarks.stage import group_clips, run_data
from lynx.errors import InputError
from lynx.features.clips import open_shelf
from lynx.media.stage import run_frames
from lynx.media.video_clip import VideoClip
from lynx.modalities import get_modality
from lynx.project import Project
from tests.media_writer import number_of, picture, write_video
from tests.project_copy import copy_tree, edit_yaml, load

TAKES = Path("raw/takes")
FRAMES = Path("runs/demo/frames/egoexo4d")
NAMES = ("t1", "t2", "t3", "t4")
LISTED = {"t1": 3, "t2": 3, "t3": 2, "t4": 2}
"""How many exo views the official file has a path of; the others are null."""


def row(take: str) -> dict[str, object]:
    folder = f"takes/{take}/frame_aligned_videos"
    exo = {n: f"{folder}/cam{n}.mp4" if n <= LISTED[take] else None for n in (1, 2, 3, 4)}
    return {
        "take_uid": take,
        "scenario_name": "Dance",
        "proficiency_score": "Novice",
        "video_paths": {"ego": f"{folder}/aria.mp4", **{f"exo{n}": p for n, p in exo.items()}},
    }


def path_of(take: str, camera: str) -> Path:
    return TAKES / take / "frame_aligned_videos/downscaled/448" / f"{camera}.mp4"


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with four takes, each filmed by the ego camera and two others."""
    root = copy_tree(tmp_path / "project")
    edit_yaml(root / "config/scales/demo.yaml", {"worlds": {}})
    edit_yaml(root / "config/config.yaml", {"benchmarks": ["egoexo"]})
    data = {"egoexo": "annotations", "egoexo_videos": "raw"}
    edit_yaml(root / "config/site.yaml", {"workers": 1, "data": data})
    monkeypatch.chdir(root)
    files: dict[str, object] = {}
    for split, names in (("train", NAMES[:3]), ("val", NAMES[3:])):
        rows = [row(name) for name in names]
        files[f"proficiency_demonstrator_{split}.json"] = {"annotations": rows}
    turns = [{"from": "human", "value": "<image>\nHow well?"}, {"from": "gpt", "value": "Novice"}]
    files["proficiency_demonstrator_train_instruct.json"] = [
        {"id": name, "video": name, "conversations": turns} for name in NAMES[:3]
    ]
    Path("annotations").mkdir()
    for name, content in files.items():
        Path("annotations", name).write_text(json.dumps(content), encoding="utf-8")
    for take in NAMES:
        for camera, first in (("aria", 0), ("cam1", 60), ("cam2", 120)):
            path = path_of(take, camera)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_video(path, 8, draw=lambda n, w, h, k=first: picture(n + k, w, h))
    return root


def prepared(count: int, cameras: str = "others", allow_missing: float = 0.0) -> Project:
    keys = ("align.drawing", "sft.view.drawing", "evaluate.view.drawing")
    overrides: dict[str, object] = {f"{key}.count": count for key in keys}
    overrides |= {f"{key}.cameras": cameras for key in keys}
    overrides["frames.allow_missing"] = allow_missing
    project = load(Path(), overrides=overrides)
    run_data(project, "egoexo")
    run_frames(project, "egoexo4d", group_clips(project, "egoexo4d"))
    return project


def listed() -> dict[str, list[str]]:
    """Clip -> cameras, as the inventory has them."""
    lines = (FRAMES / "videos-egoexo.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["clip"]: [Path(file["name"]).stem for file in row["files"]] for row in rows}


def test_two_views_are_drawn_of_takes_that_list_more(raw: Path) -> None:
    project = prepared(count=2)
    assert listed() == {name: ["aria", "cam1", "cam2"] for name in NAMES}
    assert read_manifest(FRAMES).settings["other_views"] == 2
    drawing = project.experiment.recipes["egoexo"].evaluate.view.drawing
    for name in NAMES:
        clip = open_shelf(project, "egoexo").open(name)
        assert isinstance(clip, VideoClip)
        drawn = get_modality("view").draw(clip, clip.choose(2, "uniform"), drawing)
        assert [number_of(frame) for frame in drawn] == [60, 67, 120, 127]


@pytest.mark.parametrize(
    ("count", "cameras", "shown"), [(1, "others", ["aria", "cam1"]), (1, "same", ["aria"])]
)
def test_a_view_that_nothing_is_drawn_from_may_be_gone(
    raw: Path, count: int, cameras: str, shown: list[str]
) -> None:
    path_of("t1", "cam2").unlink()
    path_of("t2", "cam2").write_bytes(b"no film")
    if cameras == "same":
        path_of("t4", "cam1").unlink()
    prepared(count, cameras)
    assert listed() == dict.fromkeys(NAMES, shown)


def test_takes_without_the_views_are_missing(raw: Path) -> None:
    """One has too few listed, one lacks a file, one has a view of another clock."""
    gone = path_of("t1", "cam2")
    gone.unlink()
    write_video(path_of("t2", "cam1"), 7)
    official = Path("annotations/proficiency_demonstrator_val.json")
    official.write_text(official.read_text().replace("takes/t4/frame_aligned_videos/cam2.mp4", ""))
    with pytest.raises(InputError) as caught:
        prepared(count=2, allow_missing=0.5)
    assert str(caught.value) == (
        f"{gone}: not found, expected a video file; copy it there or correct the path (3 of 4 "
        "clips are missing, allow_missing = 0.5)"
    )
    assert not FRAMES.exists()
    project = prepared(count=2, allow_missing=0.75)
    counts = read_manifest(FRAMES).counts
    assert (counts["egoexo videos"], counts["egoexo missing"]) == (1, 3)
    assert list(listed()) == ["t3"]
    assert not open_shelf(project, "egoexo").usable("t4")
    lines = (FRAMES / "missing-egoexo.jsonl").read_text(encoding="utf-8").splitlines()
    reasons = {row["clip"]: row["reason"] for row in map(json.loads, lines)}
    assert list(reasons) == ["t1", "t2", "t4"]
    assert ": found 7 frames, expected 8 as in " in reasons["t2"]
    assert reasons["t4"].startswith("clip 't4': found 1 views beside takes/t4/")
