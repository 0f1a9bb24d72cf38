"""Columns of the publication's tables that are no metric: references' videos, measures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lynx.align.stability import LayerStability, summary
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.report.paper.formats import latex
from lynx.report.paper.grid import NOTHING
from tests.unit.paper_grids import after, grid, row
from tests.unit.scores import bare_project, write_score

REFERENCE = "runs/demo/reference"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return bare_project(tmp_path / "project")


def reference(videos: int) -> dict[str, object]:
    return {"stage": "reference", "content": "5e" * 32, "videos": videos}


def test_the_videos_of_all_references_behind_a_run(root: Path) -> None:
    several = {f"{REFERENCE}/music": reference(300), f"{REFERENCE}/avqa": reference(120)}
    align = {"runs/demo/align/3d-reference-audio/seed0": {"stage": "align", "content": "6f" * 32}}
    for seed in range(2):
        write_score(root, "scanqa", {"em": 0.2}, variant="reference-audio", seed=seed,
                    artefacts={**align, **several})  # fmt: skip
    write_score(root, "scanqa", {"em": 0.2}, variant="reference-3d")
    write_score(root, "scanqa", {"em": 0.2}, variant="reference-all", artefacts=align)
    found = grid(root, "reference")
    column = "reference videos"
    assert [row(found, name)[column] for name in ("audio sets", "3D", "video", "all")] == [
        "57000", "563", "59000", "117000",
    ]  # fmt: skip
    assert row(found, "ours: reference-audio, demo")[column] == "420"
    assert after(found, "ours: reference-audio, demo")[column] == "-56580", "no mark: a count"
    assert row(found, "ours: reference-3d, demo")[column] == "200"
    assert row(found, "ours: reference-all, demo")[column] == "no value", "it names no reference"
    assert row(found, "ours: reference-video, 0.5b")[column] == "no run"


def test_seeds_with_other_references_have_no_one_count(root: Path) -> None:
    for seed in range(2):
        artefacts = {f"{REFERENCE}/3d": reference(200 + seed)}
        write_score(
            root, "scanqa", {"em": 0.2}, variant="reference-3d", seed=seed, artefacts=artefacts
        )
    assert row(grid(root, "reference"), "ours: reference-3d")["reference videos"] == "no value"


def test_every_published_number_of_the_stability_has_ours_below(root: Path) -> None:
    """As printed: ranges and means of norm² and trace, the ends of R with their layers."""
    layers = {
        "keys": [LayerStability(0, 0.5, 0.01, 50.0), LayerStability(1, 1.5, 0.01, 150.0)],
        "values": [LayerStability(0, 0.02, 0.00004, 500.0), LayerStability(1, 0.2, 0.02, 10.0)],
    }
    report = {
        "stage": "stability",
        "scale": "0.5b",
        "synthetic": False,
        "summary": {kind: summary(found) for kind, found in layers.items()},
        "base": "2b" * 32,
        "parents": {},
        "stage_version": STAGE_VERSIONS["stability"],
        "versions": {"torch": "2.11.0"},
    }
    path = root / "results/0.5b/stability.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(report), encoding="utf-8")
    found = grid(root, "stability")
    published, ours = row(found, "LLaVA-OV-0.5B"), row(found, "ours: 0.5b")
    assert len(published) == len(found.header) - 1 == 20, "every title is its own"
    assert NOTHING not in published.values()
    ends = ("keys R max", "keys R max layer", "keys R min", "keys R min layer")
    assert [published[name] for name in ends] == ["816.0", "3", "63.0", "25"]
    assert [ours[name] for name in ends] == ["150.0", "1", "50.0", "0"]
    trace = ("values trace min", "values trace max", "values trace mean")
    assert [published[name] for name in trace] == ["0.00002", "0.0100", "0.0040"]
    assert [ours[name] for name in trace] == ["0.00004", "0.0200", "0.0100"]
    assert "Difference: ours less the published value." in found.notes, "no seeds, no marks"


def test_latex_makes_nothing_larger_and_names_the_publications_table(root: Path) -> None:
    text = latex(grid(root, "geometry"))
    assert "\\caption{Geometry of the input space. Table B1 of the publication.}" in text
    assert text.count("\\resizebox") == 1, "in what fits a table into a line"
    assert "\\ifdim\\wd\\lynxbox>\\linewidth\\resizebox" in text
    assert " & \\shortstack[r]{norm \\\\ of \\\\ vocab \\\\ mean} & " in text
