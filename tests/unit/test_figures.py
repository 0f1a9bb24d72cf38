"""Figures: what they are drawn from, and that equal data give equal bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path as Line
from matplotlib.text import Annotation

from lynx.config.layout import FIGURES
from lynx.config.yaml_files import read_mapping
from lynx.errors import InputError
from lynx.ledger.render import PIPELINE
from lynx.report.figures.benefit import SHADED, bars_of, draw_benefit
from lynx.report.figures.dag import draw_dag, stage_graph
from lynx.report.figures.files import benefit_bars, write_figures
from lynx.report.figures.parameters import draw_parameters
from lynx.report.figures.radar import draw_radar, panels
from lynx.report.figures.rank import draw_rank, rank_of
from lynx.report.figures.style import COLOURS, OTHERS, drawing, name_spots
from lynx.report.figures.training import draw_training, read_curves
from lynx.report.paper.files import read_tables
from tests.project_copy import ROOT, load
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


def test_each_figure_is_a_png_and_a_pdf(root: Path) -> None:
    folder = root / "results/figures"
    assert write_figures(load(root)) == [folder / name for name in FIGURES]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.{kind}" for name in FIGURES for kind in ("png", "pdf")
    )


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
    theirs = ["LLaVA-OV zero-shot", "LLaVA-OV-FT", "PAVE", "V-LynX"]
    assert list(found["published, 0.5B"]) == list(found["published, 7B"]) == theirs
    assert found["published, 7B"]["V-LynX"]["SQA3D EM@1"] == 60.5
    assert found["published, 0.5B"]["PAVE"]["Video-MME all"] == 46.0
    ours = found["ours, demo\n(rendered worlds, tiny model)"]
    assert ours["lynx"] == pytest.approx({"AVQA": 90, "ScanQA CIDEr": 80, "SQA3D EM@1": 50})


def test_a_published_line_has_the_colour_of_ours_below_it(root: Path) -> None:
    published, *_, ours = panels(read_tables(load(root)).tables)
    assert published.colours["V-LynX"] == ours.colours["lynx"] == COLOURS["lynx"]
    assert published.colours["LLaVA-OV-FT"] == COLOURS["video-only"]
    assert published.colours["LLaVA-OV zero-shot"] == COLOURS["zero-shot"]


def test_the_controls_of_the_tables_are_drawn_where_they_were_run(root: Path) -> None:
    write_score(root, "scanqa", {"em": 0.5}, variant="repeated-video", groups=NEEDS)
    write_score(root, "scanqa", {"em": 0.5}, variant="rank-8", groups=NEEDS)
    project = load(root)
    assert "repeated-video" not in project.experiment.shown_variants
    bars = {each.benchmark: each for each in benefit_bars(project, read_tables(project))}
    assert list(bars["scanqa"].variants) == ["lynx", "video-only", "repeated-video"]


@pytest.mark.parametrize("synthetic", [True, False])
def test_groups_that_need_x_are_told_apart_where_that_is_known(root: Path, synthetic: bool) -> None:
    relations = {"relation": {name: {"accuracy": 0.5} for name in ("Sound", "View")}}
    for variant in ("lynx", "video-only"):
        score = {"accuracy": 0.9}
        write_score(root, "avqa", score, variant=variant, groups=relations, synthetic=synthetic)
    project = load(root)
    bars = {each.benchmark: each for each in benefit_bars(project, read_tables(project))}
    assert bars["avqa"].need_x == ({"relation Sound"} if synthetic else set())
    assert bars["scanqa"].need_x == {"needs depth"}
    (legend,) = draw_benefit([bars["avqa"]], "What X gives").legends
    assert (SHADED in [text.get_text() for text in legend.get_texts()]) == synthetic


def test_bars_are_by_what_questions_need(root: Path) -> None:
    project = load(root)
    benchmarks = {"scanqa": project.experiment.benchmarks["scanqa"]}
    runs = read_tables(project).runs
    (bars,) = bars_of(runs, "demo", benchmarks, ["lynx", "plain-tower"])
    assert bars.groups == ("needs colour", "needs depth")
    assert list(bars.variants) == ["lynx"], "the other one was not run"
    assert bars.variants["lynx"]["needs depth"].values == (75.0, 75.0)
    assert list(bars_of(runs, "7b", benchmarks, ["lynx"])) == []


def test_names_cover_neither_each_other_nor_a_spot() -> None:
    """Three spots in one place nearly, one at the edge."""
    spots = [("plain-tower", 1.0, 5.0), ("video-only", 1.0, 5.05), ("lynx", 1.02, 5.0)]
    spots.append(("zero-shot", 0.0, 0.0))
    with drawing():
        figure = Figure(figsize=(4, 3))
        axes = figure.add_subplot()
        axes.scatter([x for _, x, _ in spots], [y for _, _, y in spots])
        name_spots(figure, [(axes, spots)])
        boxes = [text.get_window_extent() for text in axes.texts]
    assert [text.get_text() for text in axes.texts] == [name for name, _, _ in spots]
    assert not [1 for n, one in enumerate(boxes) for other in boxes[:n] if one.overlaps(other)]
    dots = axes.transData.transform([(x, y) for _, x, y in spots])
    assert not [1 for box in boxes for x, y in dots if box.contains(x, y)]


def test_no_text_of_a_figure_is_cut_off(root: Path) -> None:
    tables = read_tables(load(root)).tables
    curves = read_curves(root / "results/demo/training")
    for figure in (draw_radar(tables), draw_parameters(tables), draw_rank(tables)):
        assert not list(outside(figure))
    assert not list(outside(draw_training(curves, "Training at demo")))


def outside(figure: Figure) -> Iterator[str]:
    """Titles, names and labels that leave the page."""
    with drawing():
        figure.draw_without_rendering()
        page = figure.bbox.padded(1)
        texts = list(figure.texts)
        for axes in figure.axes:
            texts += [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
            texts += axes.get_xticklabels() if axes.name == "polar" else []
        for text in texts:
            box = text.get_window_extent()
            inside = page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1)
            if text.get_text() and not inside:
                yield text.get_text()


def test_a_variant_looks_the_same_in_every_panel(root: Path) -> None:
    write_curve(root, "sft/rank-8/scanqa", "step,loss", "1,0.3", "2,0.2")
    write_curve(root, "sft/lynx/sqa3d", "step,loss", "1,0.3", "2,0.2")
    figure = draw_training(read_curves(root / "results/demo/training"), "Training at demo")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "align: attention term",
        "align: distribution term",
        "sft: scanqa",
        "sft: sqa3d",
    ]
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["align: 3d", "sft: lynx", "sft: rank-8"]
    scanqa, sqa3d = (axes.lines for axes in figure.axes[2:])
    assert scanqa[-1].get_color() == sqa3d[0].get_color() == COLOURS["lynx"]
    assert scanqa[0].get_color() != COLOURS["lynx"]


def test_lynx_lies_on_the_curves_that_would_hide_it(root: Path) -> None:
    write_curve(root, "sft/plain-tower/scanqa", "step,loss", "1,0.3", "2,0.2")
    figure = draw_training(read_curves(root / "results/demo/training"), "Training at demo")
    below, above = figure.axes[2].lines
    assert above.get_color() == COLOURS["lynx"]
    assert below.get_linewidth() > above.get_linewidth()
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "attention term",
        "distribution term",
        "loss",
    ]


def test_every_colour_can_be_seen_on_white() -> None:
    """At least 2 to 1, as WCAG counts contrast; bright yellow has 1.3."""

    def brightness(colour: str) -> float:
        parts = [part / 12.92 if part <= 0.04 else ((part + 0.055) / 1.055) ** 2.4
                 for part in to_rgb(colour)]  # fmt: skip
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    faint = [name for name in (*COLOURS.values(), *OTHERS) if 1.05 / (brightness(name) + 0.05) < 2]
    assert not faint


def test_no_axis_of_parameters_goes_below_zero(root: Path) -> None:
    figure = draw_parameters(read_tables(load(root)).tables)
    assert {axes.get_xlim()[0] for axes in figure.axes if axes.collections} == {0.0}


def test_a_rank_is_that_of_the_adapter(root: Path) -> None:
    write_score(root, "scanqa", {"em": 0.5}, variant="rank-64", ranks={"vision": 64})
    (table,) = (each for each in read_tables(load(root)).tables if each.name == "rank")
    (row,) = (row for row in table.rows if row.runs)
    assert (row.variant, rank_of(row)) == ("rank-64", 64)


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
            "features-scanqa-train": {"deps": ["runs/data/manifest.json"], "outs": ["runs/train"]},
            "sft-joint-seed0": {"deps": ["runs/train/manifest.json"], "outs": ["runs/joint"]},
            "sft-joint-seed1": {"deps": ["runs/train/manifest.json"], "outs": ["runs/another"]},
            # Made after stage 3, against the order of the others.
            "features-scanqa-test": {"deps": ["runs/joint/manifest.json"], "outs": ["runs/test"]},
        }
    )
    edges = [
        *(("align", "sft"), ("data", "align"), ("data", "features")),
        *(("features", "sft"), ("sft", "evaluate")),
    ]
    assert sorted(graph.edges) == edges, "without what follows from others"


def test_no_arrow_of_the_workflow_passes_under_a_box() -> None:
    """`base` is read late and reads nothing."""
    stages = read_mapping(ROOT, PIPELINE)["stages"]
    figure = draw_dag(stages)
    with drawing():
        figure.draw_without_rendering()
        (axes,) = figure.axes
        arrows = [text.arrow_patch for text in axes.texts if isinstance(text, Annotation)]
        boxes = [text.get_bbox_patch() for text in axes.texts if not isinstance(text, Annotation)]
        spans = [box.get_window_extent() for box in boxes]
        paths = [shaft(arrow) for arrow in arrows]
    assert len(boxes) > 5
    assert len(arrows) >= len(boxes) - 1
    assert not [1 for path in paths for box in spans if path.intersects_bbox(box, filled=False)]
    assert all(figure.bbox.padded(1).count_contains(box.get_points()) == 2 for box in spans)


def shaft(arrow: FancyArrowPatch) -> Line:
    """From a drawn arrow's start to its tip, in the figure's pixels."""
    path = arrow.get_path()
    ends = path.vertices[path.codes != Line.CLOSEPOLY]
    return Line([ends[0], ends[np.argmax(np.linalg.norm(ends - ends[0], axis=1))]])
