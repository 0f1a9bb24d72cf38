"""Code that changed and a stage's version that did not: `make lint` fails and names both."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lynx.artifacts.stage_code import RECORD, STAGE_MODULES, read_stage_code
from lynx.artifacts.stages import STAGE_VERSIONS
from tests.project_copy import ROOT, environment

LOSSES = Path("lynx/align/losses.py")
VERSIONS = Path("lynx/artifacts/stages.py")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The package alone, as it stands."""
    shutil.copytree(ROOT / "lynx", tmp_path / "lynx", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def said(tree: Path, *arguments: str) -> tuple[int, str]:
    """What the check or the record of that tree's code ends with."""
    done = subprocess.run(
        [sys.executable, "-m", "lynx.artifacts.stage_code", *arguments],
        cwd=tree,
        env=environment() | {"PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def bump(tree: Path, stage: str) -> None:
    old = STAGE_VERSIONS[stage]
    edit(tree / VERSIONS, f'"{stage}": {old},', f'"{stage}": {old + 1},')


def test_every_stage_is_watched() -> None:
    """And the committed record names every module that there is."""
    assert STAGE_MODULES.keys() == STAGE_VERSIONS.keys()
    now = read_stage_code(ROOT)
    assert "lynx.align.losses" in now.members["align"]
    assert "lynx.align.losses" not in now.members["data"]
    assert "lynx.benchmarks.scanqa" in now.members["data"] & now.members["score"]
    assert "lynx.modalities.depth" in now.members["align"] & now.members["features"]
    text = (ROOT / RECORD).read_text(encoding="utf-8")
    assert all(f'"{name}"' in text for name in now.modules)


def test_a_comment_is_no_change(tree: Path) -> None:
    text = (tree / LOSSES).read_text(encoding="utf-8")
    docstring = text.split('"""')[1]
    (tree / LOSSES).write_text(text.replace(docstring, "Others.") + "\n# Why it is so.\n")
    assert said(tree, "--check") == (0, "")


def test_code_that_changed_without_a_version(tree: Path) -> None:
    """Named with the stages that run it, until one of the two things is said of each."""
    path = tree / LOSSES
    path.write_text(path.read_text(encoding="utf-8") + "\n\nMORE = 1\n", encoding="utf-8")
    stages = [stage for stage, names in read_stage_code(ROOT).members.items() if _losses(names)]
    assert {"reference", "align"} <= set(stages)
    sentence = (
        "lynx: lynx/align/losses.py: the code changed but not the version of {stages}, expected a "
        "higher one in lynx/artifacts/stages.py where results change; raise it and run `python -m "
        "lynx.artifacts.stage_code`, with --same-results for the others\n"
    )
    listed = ", ".join(f"{stage} ({STAGE_VERSIONS[stage]})" for stage in stages)
    assert said(tree, "--check") == (2, sentence.format(stages=listed))
    assert said(tree) == (2, sentence.format(stages=listed))
    bump(tree, "align")
    others = [stage for stage in stages if stage != "align"]
    listed = ", ".join(f"{stage} ({STAGE_VERSIONS[stage]})" for stage in others)
    assert said(tree, "--check") == (2, sentence.format(stages=listed))
    assert said(tree, "--same-results") == (0, "")
    assert said(tree, "--check") == (0, "")


def _losses(names: frozenset[str]) -> bool:
    return "lynx.align.losses" in names


def test_a_version_that_is_not_recorded(tree: Path) -> None:
    bump(tree, "score")
    old = STAGE_VERSIONS["score"]
    assert said(tree, "--check") == (
        2,
        f"lynx: lynx/artifacts/stage_code.json: version {old} of stage score, expected {old + 1} "
        "as in lynx/artifacts/stages.py; run `python -m lynx.artifacts.stage_code`\n",
    )
    assert said(tree) == (0, "")
    assert said(tree, "--check") == (0, "")


def test_a_new_benchmark_needs_no_record(tree: Path) -> None:
    """It changes no result that there is."""
    shutil.copy(tree / "lynx/benchmarks/scanqa.py", tree / "lynx/benchmarks/another.py")
    assert said(tree, "--check") == (0, "")


def test_a_record_that_is_cut_short(tree: Path) -> None:
    text = (tree / RECORD).read_text(encoding="utf-8")
    (tree / RECORD).write_text(text[: len(text) // 2], encoding="utf-8")
    code, sentence = said(tree, "--check")
    assert code == 2
    assert sentence.startswith("lynx: lynx/artifacts/stage_code.json: found no readable record (")
    assert sentence.endswith("expected modules and versions; take it from Git again\n")
