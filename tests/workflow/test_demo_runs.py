"""The demo's whole DAG, run for real in a clone of the tree whose path holds a space."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lynx.artifacts.stages import STAGE_VERSIONS
from tests.project_copy import BASE_SIDE, FAMILY, clone, edit_yaml, environment
from tests.workflow import extending_page
from tests.workflow.snakemake_runs import SCANQA, planned, snakemake

pytestmark = pytest.mark.slow
VARIANTS = ["lynx", "video-only"]  # config/ci.yaml
# Rendering all rooms of the demo would take most of the test's time and show nothing more.
WORLD = {"seed": 7, "train_scenes": 24, "val_scenes": 2, "test_scenes": 6, "frames_per_scene": 10}
TUNED = {"sft", "predict", "score", "headline"}
FOLLOWERS = {
    "reference": {"reference", "align", "features_aligned"} | TUNED,
    "features": {"features_fixed", "features_aligned"} | TUNED,
    "score": {"score", "headline"},
}
RATE = ("--config", "overrides={sft.optimizer.learning_rate: 0.002}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clone after `snakemake --profile profiles/ci results/scanqa/metrics.json`."""
    root = clone(tmp_path_factory.mktemp("demo") / "a clone")
    edit_yaml(root / "config/scales/demo.yaml", {"worlds": {"rooms": WORLD}})
    edit_yaml(root / "config/config.yaml", {"benchmarks": FAMILY})
    edit_yaml(root / "config/site.yaml", {"device": "cpu"})
    if not (root / "models/demo/model.safetensors").is_file():
        from tests.tiny_base import write_tiny_base

        write_tiny_base(root / "models/demo", **BASE_SIDE)
    result = snakemake(root, SCANQA, package=root)
    assert result.returncode == 0, result.stderr[-4000:]
    return root


def command(root: Path, *arguments: str) -> str:
    """What a command of the clone's own package prints."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=environment() | {"PYTHONPATH": str(root), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    return result.stdout


def read(path: Path) -> dict[str, Any]:
    data = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


def test_metrics_hold_every_variant_over_every_question(demo: Path) -> None:
    questions = read_questions(demo)
    headline = read(demo / SCANQA)
    assert [headline["variant"], *headline["compare_with"]] == VARIANTS
    assert headline["samples"] == questions
    for variant in VARIANTS:
        report = read(demo / f"results/demo/{variant}/scanqa/seed0/metrics.json")
        assert report["samples"] == questions
        assert report["missing"] == 0
        assert {metric["count"] for metric in report["metrics"].values()} == {questions}
        held = headline if variant == "lynx" else headline["compare_with"][variant]
        assert held["metrics"] == report["metrics"]


def read_questions(demo: Path) -> int:
    """The number of items that the raw annotation holds: the one denominator."""
    path = demo / "runs/demo/world/rooms/scanqa/ScanQA_v1.0_test_w_obj.json"
    items = json.loads(path.read_text(encoding="utf-8"))
    assert {item["scene_id"] for item in items} == {f"scene90{26 + k}_00" for k in range(6)}
    return len(items)


def test_lynx_table_prints_them(demo: Path) -> None:
    said = command(demo, "-m", "lynx.cli", "table", "scanqa")
    headline = read(demo / SCANQA)
    assert f"scanqa, split test_w_obj, {read_questions(demo)} questions" in said
    reports = {"lynx": headline, **headline["compare_with"]}
    rows = {
        cells[0]: cells[1:]
        for line in said.splitlines()
        if len(cells := [cell.strip() for cell in line.strip("│").split("│")]) > 1
    }
    titles = {
        "cider": "CIDEr",
        "bleu4": "BLEU-4",
        "meteor": "METEOR",
        "rouge_l": "ROUGE-L",
        "em": "EM@1",
        "em_refined": "EM@1 refined",
    }
    for key, title in titles.items():
        assert rows[title] == [
            f"{100 * report['metrics'][key]['value']:.1f}" for report in reports.values()
        ]


def test_a_second_run_has_nothing_to_do(demo: Path) -> None:
    result = snakemake(demo, SCANQA)
    assert result.returncode == 0
    assert "Nothing to be done (all requested files are present and up to date)." in (
        result.stdout + result.stderr
    )
    assert planned(demo, SCANQA) == {}


def test_a_learning_rate_repeats_sft_and_what_follows(demo: Path) -> None:
    expected = {SCANQA: "headline"}
    for variant in VARIANTS:
        run = f"{variant}/scanqa/seed0"
        expected[f"runs/demo/sft/{run}/manifest.json"] = "sft"
        expected[f"runs/demo/predictions/{run}/manifest.json"] = "predict"
        expected[f"results/demo/{run}/metrics.json"] = "score"
    assert planned(demo, SCANQA, *RATE) == expected


@pytest.mark.parametrize("stage", FOLLOWERS)
def test_a_new_version_of_a_stage_repeats_it_and_what_follows(demo: Path, stage: str) -> None:
    """No more and no less; `video-only` never sees X, so nothing of alignment is behind it."""
    path = demo / "lynx/artifacts/stages.py"
    before = path.read_text(encoding="utf-8")
    old = STAGE_VERSIONS[stage]
    try:
        path.write_text(before.replace(f'"{stage}": {old},', f'"{stage}": {old + 1},'))
        jobs = planned(demo, SCANQA, package=demo)
    finally:
        path.write_text(before)
    assert set(jobs.values()) == FOLLOWERS[stage]
    for variant in VARIANTS:
        touched = [output for output in jobs if f"/{variant}/" in output]
        assert bool(touched) == (variant == "lynx" or stage != "reference")


def test_a_comment_repeats_nothing(demo: Path) -> None:
    names = ("lynx/align/train.py", "lynx/project.py", "workflow/rules/sft.smk", "Snakefile")
    before = {name: (demo / name).read_bytes() for name in names}
    try:
        for name, content in before.items():
            (demo / name).write_bytes(content + b"# Why it is so.\n")
        assert planned(demo, SCANQA, package=demo) == {}
    finally:
        for name, content in before.items():
            (demo / name).write_bytes(content)


@pytest.mark.parametrize(
    "change",
    [
        {"threads": 2},
        {"workers": 1},
        {"feature_disk_gb": 0},
        {"models": "./models"},
        {"gpu_target": "a6000"},
        {"slurm": {"account": "other", "partition": "other", "gpu_model": "other"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_site_repeats_nothing(demo: Path, change: dict[str, object]) -> None:
    path = demo / "config/site.yaml"
    before = path.read_bytes()
    try:
        edit_yaml(path, change)
        assert planned(demo, SCANQA) == {}
    finally:
        path.write_bytes(before)


def test_a_base_that_was_replaced_repeats_all_that_it_made(demo: Path) -> None:
    path = demo / "models/demo/config.json"
    before = path.read_bytes()
    try:
        path.write_bytes(before + b"\n")
        jobs = planned(demo, SCANQA)
    finally:
        path.write_bytes(before)
    assert set(jobs.values()) == {
        "base", "reference", "align", "features_fixed", "features_aligned", "sft", "predict",
        "score", "headline",
    }  # fmt: skip


def test_the_page_on_extending_is_enough(demo: Path) -> None:
    """Its files, then its commands, in the page's order; Snakemake with the profile of CI."""
    assert len(extending_page.write_files(demo)) == 4
    commands = extending_page.commands()
    assert [line[0] for line in commands] == ["lynx", "python", "snakemake", "lynx", "lynx"]
    schema, contract, run, table, inventory = (line[1:] for line in commands)
    command(demo, "-m", "lynx.cli", *schema)
    assert "test_metrics[roomsize] PASSED" in command(demo, *contract, "-vv")
    assert run[:2] == ["--profile", "local"]
    result = snakemake(demo, *run[2:], package=demo)
    assert result.returncode == 0, result.stderr[-4000:]
    report = read(demo / "results/roomsize/metrics.json")
    assert (report["benchmark"], report["recipe"]) == ("roomsize", "contours")
    assert 0 < report["samples"] < read_questions(demo)
    aligned = read(demo / "runs/demo/align/contours3d/seed0/manifest.json")
    assert aligned["settings"]["align"]["drawing"] == {"band_mm": 250, "modality": "contours"}
    said = command(demo, "-m", "lynx.cli", *table)
    assert f"roomsize, split test_w_obj, {report['samples']} questions" in said
    said = command(demo, "-m", "lynx.cli", *inventory)
    assert said.startswith("lynx inventory roomsize: Room size\n")
    assert said.splitlines()[-1] == "complete: every split is readable, every clip has its files"
    assert re.search(rf"^ *test_w_obj +{report['samples']} +0 ", said, re.MULTILINE)
