"""Two benchmarks that are trained on a third, on tiny films: every stage, and the plan of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lynx.artifacts.manifest import read_manifest
from lynx.benchmarks.llava_video import CONFIGS, official_file
from lynx.benchmarks.mvbench import TASKS
from lynx.config.inputs import data_inputs
from lynx.project import Project
from tests.media_writer import write_video
from tests.project_copy import LORA, copy_tree, edit_yaml
from tests.project_copy import load as load_project
from tests.workflow.snakemake_runs import planned

BASE = "llava-onevision-qwen2-0.5b-ov-hf"
SCORED = ("mvbench", "videomme_subtitles")
MAIN: dict[str, object] = {"scale": "0.5b", "benchmarks": list(SCORED)}
OPTIMIZER = {"epochs": 1, "batch": 4, "micro_batch": 2}
OVERRIDES: dict[str, object] = {
    "reference.frames_per_clip": 4,
    "align.steps_per_item": 4,
    "align.lora": LORA,
    **{f"align.optimizer.{key}": value for key, value in OPTIMIZER.items()},
    "sft.view.frames": 3,
    "sft.lora": LORA,
    **{f"sft.optimizer.{key}": value for key, value in OPTIMIZER.items()},
    "evaluate.view.frames": 3,
    "evaluate.max_new_tokens": 2,
}
SRT = "1\n00:00:00,000 --> 00:00:00,100\nAt first.\n\n2\n00:00:00,200 --> 00:00:00,300\nUnseen.\n"


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def film(path: Path, frames: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, frames)


def write_llava_video(root: Path) -> None:
    """One film and two questions in each of the four configurations."""
    for number, config in enumerate(CONFIGS):
        said = [
            {"from": "human", "value": "<image>\nWhat changes?"},
            {"from": "gpt", "value": f"{number}."},
        ]
        video = f"academic_source/{number}.mp4"
        record = {"id": f"v{number}", "video": video, "conversations": said}
        write_json(root / official_file(config), [record, record])
        film(root / config / video, 12 + number)


def write_mvbench(root: Path) -> None:
    """Two parts of one film: 25 frames a second, so 0.4 s to 1 s are the frames 10 to 25."""
    item = {"video": "a.mp4", "question": "What?", "candidates": ["x", "y"], "answer": "y"}
    items = {"action_sequence": [item | {"start": 0.4, "end": 1.0}, item | {"start": 0, "end": 2}]}
    for task in TASKS:
        write_json(root / f"json/{task}.json", items.get(task, []))
    film(root / f"video/{TASKS['action_sequence'].folder}/a.mp4", 30)


def write_videomme(root: Path) -> None:
    row = {
        "videoID": "film",
        "question_id": "1-1",
        "duration": "short",
        "question": "Which?",
        "options": ["A. a", "B. b", "C. c", "D. d"],
        "answer": "A",
    }
    write_json(root / "videomme/test.json", [row])
    film(root / "data/film.mp4", 30)
    (root / "subtitle").mkdir()
    (root / "subtitle/film.srt").write_text(SRT, encoding="utf-8")


def write_tree(root: Path) -> Path:
    """Raw data of three sets in their own layouts, a tiny base, and nothing that has been run."""
    from tests.tiny_base import write_tiny_base

    copy_tree(root)
    edit_yaml(root / "config/scales/0.5b.yaml", {"dtype": "float32", "gpus": 0})
    edit_yaml(root / "config/config.yaml", MAIN | {"overrides": OVERRIDES})
    edit_yaml(root / "config/site.yaml", {"device": "cpu", "threads": 1, "workers": 1})
    write_tiny_base(root / "models" / BASE)
    write_llava_video(root / "data/llava_video")
    write_mvbench(root / "data/mvbench")
    write_videomme(root / "data/videomme")
    return root


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("fast") / "project")


@pytest.fixture(scope="module")
def scored(tree: Path) -> Project:
    """Every stage, in the order of the rules."""
    from lynx.align.stage import run_align, run_reference
    from lynx.benchmarks.stage import group_clips, run_data
    from lynx.evaluate.stage import run_predict, run_score
    from lynx.features.stage import run_features
    from lynx.media.stage import run_frames
    from lynx.model.stage import run_base
    from lynx.sft.stage import run_sft

    project = load_project(tree)
    run_base(project)
    for name in project.experiment.read_by_default():
        run_data(project, name)
    for name in ("fastvideo", *SCORED):
        run_frames(project, name, group_clips(project, name))
    run_reference(project, "fastvideo")
    run_align(project, "fastvideo")
    for name in project.experiment.read_by_default():
        (split,) = project.experiment.splits_used(name)
        for stream in ("video", "aligned"):
            run_features(project, name, split, stream)
    run_sft(project, "lynx", "llava_video")
    for name in SCORED:
        run_predict(project, "lynx", name)
        run_score(project, "lynx", name)
    return project


def test_both_are_scored_with_the_one_adapter(scored: Project) -> None:
    sft = scored.layout.sft("lynx", "llava_video", 0)
    manifest = read_manifest(sft / "manifest.json")
    assert manifest.counts["samples"] == 8
    assert [path.name for path in (sft.parent.parent).iterdir()] == ["llava_video"]
    for name in SCORED:
        report = json.loads(scored.layout.metrics("lynx", name, 0).read_text(encoding="utf-8"))
        assert report["parents"]["sft"] == manifest.content
        assert report["samples"] == {"mvbench": 2, "videomme_subtitles": 1}[name]
        assert report["missing"] == 0


def test_parts_of_a_film_are_clips_of_their_own(scored: Project) -> None:
    from lynx.features.clips import open_shelf

    shelf = open_shelf(scored, "mvbench")
    name = "star--Charades_v1_480--a.mp4"
    assert shelf.open(f"{name}@0.4-1.0").choose(3, "uniform") == (10, 17, 25)
    assert shelf.open(f"{name}@0.0-2.0").choose(3, "uniform") == (0, 14, 29)
    counts = {
        key: count
        for name in ("fastvideo", *SCORED)
        for key, count in read_manifest(scored.layout.frames(name) / "manifest.json").counts.items()
        if "videos" in key
    }
    assert counts == {"llava_video videos": 4, "mvbench videos": 2, "videomme_subtitles videos": 1}


def test_subtitles_are_those_of_the_frames_that_are_shown(scored: Project) -> None:
    """Frames 0, 14 and 29 of 25 a second: 0 s, 0.56 s and 1.16 s."""
    from lynx.features.clips import samples_as_shown, usable_samples

    (sample,) = usable_samples(scored, "videomme_subtitles", "test")
    assert [item.text for item in sample.subtitles] == ["At first.", "Unseen."]
    (shown,) = samples_as_shown(scored, "videomme_subtitles", "test")
    assert [item.text for item in shown.subtitles] == ["At first."]
    assert shown.id == sample.id
    folder = scored.layout.predictions("lynx", "videomme_subtitles", 0)
    assert read_manifest(folder / "manifest.json").counts["subtitles on screen"] == 1
    samples = usable_samples(scored, "mvbench", "test")
    assert samples_as_shown(scored, "mvbench", "test") == samples


def test_an_adapter_answers_about_a_film_of_ones_own(scored: Project, tree: Path) -> None:
    from lynx.evaluate.ask import ask

    adapter = scored.layout.sft("lynx", "llava_video", 0)
    answers = ask(scored, adapter, [tree / "data/videomme/data/film.mp4"], ["What?"], [])
    assert len(answers) == 1


def test_one_training_is_planned_for_both(tmp_path: Path) -> None:
    results = [f"results/0.5b/lynx/{name}/seed0/metrics.json" for name in SCORED]
    jobs = planned(write_tree(tmp_path / "plan"), *results, profile="local")
    rules = sorted(jobs.values())
    assert {rule: rules.count(rule) for rule in set(rules)} == {
        "base": 1,
        "data": 3,
        "frames": 3,
        "reference": 1,
        "align": 1,
        "features_fixed": 3,
        "features_aligned": 3,
        "sft": 1,
        "predict": 2,
        "score": 2,
    }
    assert jobs["runs/0.5b/sft/lynx/llava_video/seed0/manifest.json"] == "sft"
    assert jobs["runs/0.5b/features/llava_video/train/aligned/seed0/manifest.json"]


def test_annotations_one_folder_down_are_inputs(tree: Path) -> None:
    experiment = load_project(tree).experiment
    assert len(data_inputs(experiment, "mvbench")) == 20
    assert len(data_inputs(experiment, "llava_video")) == 4
