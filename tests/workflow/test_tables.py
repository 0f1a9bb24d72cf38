"""`snakemake -- tables`: from what lies below results/, and nothing is run for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.project_copy import ROOT, copy_tree
from tests.unit.scores import write_score
from tests.workflow.snakemake_runs import planned, snakemake

MADE = {"paper_tables", "figures", "report"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Configuration and one score: no model, no data, no checkpoint."""
    project = copy_tree(tmp_path_factory.mktemp("tables") / "project")
    shutil.copy(ROOT / "dvc.yaml", project)
    write_score(project, "scanqa", {"em": 0.25, "em_refined": 0.5, "cider": 0.8})
    return project


def test_a_score_is_enough(root: Path) -> None:
    assert set(planned(root, "--", "tables").values()) == MADE
    done = snakemake(root, "--", "tables")
    assert done.returncode == 0, done.stderr
    assert "ours: lynx, demo (1 seed)" in (root / "results/tables/2-depth.md").read_text("utf-8")
    assert (root / "results/report.html").stat().st_size > 100_000
    assert planned(root, "--", "tables") == {}
    write_score(root, "scanqa", {"em": 0.5, "em_refined": 0.5, "cider": 0.8}, seed=1)
    assert set(planned(root, "--", "tables").values()) == MADE, "another seed was scored"


def test_snakemake_makes_its_own_report_of_them(root: Path) -> None:
    assert snakemake(root, "--", "tables").returncode == 0
    done = snakemake(root, "--report", "snakemake.html", "--", "tables")
    assert done.returncode == 0, done.stderr
    page = (root / "snakemake.html").read_text(encoding="utf-8")
    for name in ("2-depth.html", "radar.png", "report.html"):
        assert name in page
