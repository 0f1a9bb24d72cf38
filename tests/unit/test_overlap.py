"""Scored clips named as a file that was trained on below another root."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lynx.benchmarks.sample import Sample, Turn, write_samples
from lynx.evaluate.overlap import SHOWN, shared_names
from lynx.media.clip_table import write_clip_table
from lynx.project import Project
from tests.unit.config_copy import MAIN, copy_config

TRAINED = {
    "a": "academic_source/Charades/ZS9XR.mp4",
    "b": "academic_source/Charades/QQQQQ.mp4",
    "c": "liwei_youtube_videos/zs9xr.mp4",
}
MET = [("llava_video",), ("llava_video",)]


def project_of(root: Path, *benchmarks: str) -> Project:
    copy_config(root)
    return Project.load(root, [MAIN], {"benchmarks": list(benchmarks)})


def table(project: Project, benchmark: str, split: str, files: Mapping[str, str]) -> None:
    samples = [
        Sample(id=clip, clip=clip, turns=(Turn(question="?", answer="A"),), references=("A",))
        for clip in files
    ]
    folder = project.layout.data(benchmark)
    folder.mkdir(parents=True)
    write_samples(folder / f"{split}.jsonl", samples)
    write_clip_table(folder, {clip: (name,) for clip, name in files.items()}, {})


def test_files_of_one_name_below_two_roots_are_counted_and_named(tmp_path: Path) -> None:
    project = project_of(tmp_path, "mvbench")
    table(project, "llava_video", "train", TRAINED)
    scored = {
        "x": "star/Charades_v1_480/ZS9XR.mp4",
        "again": "sta/sta_video/ZS9XR.mkv",
        "other": "star/Charades_v1_480/AAAAA.mp4",
    }
    table(project, "mvbench", "test", scored)
    same = ["llava_video", "a"]
    expected = {"clips": 2, "first": {"x": same, "again": same}}
    assert shared_names(project, "mvbench", "test", MET) == expected
    assert shared_names(project, "mvbench", "test", []) == {"clips": 0, "first": {}}


def test_the_first_are_named_and_all_counted(tmp_path: Path) -> None:
    project = project_of(tmp_path, "mvbench")
    files = {f"{number:02}": f"v{number:02}.mp4" for number in range(SHOWN + 3)}
    table(project, "llava_video", "train", files)
    table(project, "mvbench", "test", files)
    found = shared_names(project, "mvbench", "test", MET)
    assert found["clips"] == SHOWN + 3
    assert found["first"] == {name: ["llava_video", name] for name in list(files)[:SHOWN]}


def test_one_root_is_not_compared_by_name(tmp_path: Path) -> None:
    """There a name is the file itself, and the same clip is refused."""
    project = project_of(tmp_path, "music_avqa", "music_avqa_original")
    table(project, "music_avqa", "train", TRAINED)
    table(project, "music_avqa_original", "test", TRAINED)
    met = [("music_avqa",)]
    found = shared_names(project, "music_avqa_original", "test", met)
    assert found == {"clips": 0, "first": {}}
