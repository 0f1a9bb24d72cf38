"""Figures: what they are drawn from, and that equal data give equal bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lynx.artifacts.hashing import hash_file
from lynx.errors import InputError
from lynx.report.figures.benefit import bars_of
from lynx.report.figures.dag import stage_graph
from lynx.report.figures.files import FOLDER, write_figures
from lynx.report.figures.radar import panels
from lynx.report.figures.rank import rank_of
from lynx.report.figures.training import read_curves
from lynx.report.paper_files import read_tables
from tests.project_copy import load
from tests.unit.scores import bare_project, write_score

NEEDS = {"needs": {"depth": {"em": 0.75}, "colour": {"em": 0.5}}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """lynx over two seeds and a control on ScanQA, SQA3D and AVQA, and two curves."""
    project = bare_project(tmp_path / "project")
    for variant in ("lynx", "video-only"):
        for seed in (0, 1):
            score = {"em": 0.25 + 0.1 * seed, "em_refined": 0.5, "cider": 0.8}
            write_score(project, "scanqa", score, variant=variant, seed=seed, groups=NEEDS)
        write_score(project, "sqa3d", {"em": 0.5}, variant=variant)
        write_score(project, "avqa", {"accuracy": 0.9}, variant=variant)
    write_curve(
        project, "align/3d", "step,loss,attention,moments", "1,0.7,0.6,2.0", "2,0.6,0.5,1.9"
    )
    write_curve(project, "sft/lynx/scanqa", "step,loss", "1,0.3", "2,0.2")
    return project


def write_curve(root: Path, trained: str, *lines: str) -> Path:
    path = root / f"results/demo/training/{trained}/seed0.csv"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_figures_are_the_same_twice(root: Path) -> None:
    names = ("radar", "parameters", "rank", "benefit", "training")
    assert write_figures(load(root)) == [FOLDER / name for name in names]
    files = sorted((root / FOLDER).iterdir())
    assert [path.name for path in files] == sorted(
        f"{name}.{kind}" for name in names for kind in ("png", "pdf")
    )
    hashes = [hash_file(path) for path in files]
    write_figures(load(root))
    assert [hash_file(path) for path in files] == hashes


def test_figures_without_a_run_say_so(tmp_path: Path) -> None:
    root = bare_project(tmp_path / "project")
    assert len(write_figures(load(root))) == 5


def test_the_radar_shows_sizes_and_scales_apart(root: Path) -> None:
    found = {panel.title: panel.series for panel in panels(read_tables(load(root)).tables)}
    assert list(found) == [
        "published, 0.5B",
        "published, 7B",
        "ours, demo\n(rendered worlds, tiny model)",
    ]
    assert set(found["published, 0.5B"]) == {"zero-shot", "video-only", "PAVE", "lynx"}
    assert found["published, 7B"]["lynx"]["SQA3D EM@1"] == 60.5
    assert found["published, 0.5B"]["PAVE"]["Video-MME all"] == 46.0
    ours = found["ours, demo\n(rendered worlds, tiny model)"]
    assert ours["lynx"] == pytest.approx({"AVQA": 90, "ScanQA CIDEr": 80, "SQA3D EM@1": 50})


def test_bars_are_by_what_questions_need(root: Path) -> None:
    project = load(root)
    benchmarks = {"scanqa": project.experiment.benchmarks["scanqa"]}
    runs = read_tables(project).runs
    (bars,) = bars_of(runs, "demo", benchmarks, ["lynx", "plain-tower"])
    assert bars.groups == ("needs colour", "needs depth")
    assert list(bars.variants) == ["lynx"], "the other one was not run"
    assert bars.variants["lynx"]["needs depth"].values == (75.0, 75.0)
    assert list(bars_of(runs, "7b", benchmarks, ["lynx"])) == []


def test_a_rank_is_that_of_the_adapter(root: Path) -> None:
    (table,) = (each for each in read_tables(load(root)).tables if each.name == "rank")
    (row,) = (row for row in table.rows if row.runs)
    assert (row.variant, rank_of(row)) == ("lynx", 16)


def test_curves_are_read_by_what_was_trained(root: Path) -> None:
    folder = root / "results/demo/training"
    aligned, tuned = read_curves(folder)
    assert (aligned.kind, aligned.name, aligned.variant) == ("align", "3d", "lynx")
    assert (tuned.kind, tuned.name, tuned.variant) == ("sft", "scanqa", "lynx")
    assert aligned.columns["moments"] == [2.0, 1.9]
    path = write_curve(root, "sft/lynx/sqa3d", "step,loss", "1,nan")
    with pytest.raises(InputError) as raised:
        read_curves(folder)
    assert str(raised.value) == (
        f"{path}: loss is 'nan', expected a finite number; run its rule again"
    )


def test_the_workflow_is_drawn_from_the_ledger() -> None:
    kept = {"persist": True}
    graph = stage_graph(
        {
            "data-scanqa": {"deps": ["raw.json"], "outs": [{"runs/data": kept}]},
            "align-3d": {"deps": ["runs/data/manifest.json"], "outs": ["runs/align"]},
            "sft-lynx-seed0": {
                "deps": ["runs/data/manifest.json", "runs/align/manifest.json"],
                "outs": ["runs/sft"],
            },
            "evaluate-lynx": {"deps": ["runs/sft/manifest.json"], "metrics": ["metrics.json"]},
            "evaluate-more": {"deps": ["metrics.json"]},
        }
    )
    edges = [("align", "sft"), ("data", "align"), ("sft", "evaluate")]
    assert sorted(graph.edges) == edges, "without what follows from others"
