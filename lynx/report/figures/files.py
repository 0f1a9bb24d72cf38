"""`results/figures/`: every figure, from scores and curves below `results/` alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from lynx.project import Project
from lynx.report.figures.benefit import bars_of, draw_benefit
from lynx.report.figures.parameters import draw_parameters
from lynx.report.figures.radar import draw_radar
from lynx.report.figures.rank import draw_rank
from lynx.report.figures.style import SYNTHETIC, save
from lynx.report.figures.training import draw_training, read_curves
from lynx.report.paper_files import read_tables

FOLDER = Path("results/figures")


def write_figures(project: Project) -> list[Path]:
    """Write each figure as PNG and PDF; gives their paths without endings.

    Raises InputError for a score or a curve that cannot be used.
    """
    written = []
    for name, figure in _figures(project):
        stem = project.layout.root / FOLDER / name
        save(figure, stem)
        written.append(FOLDER / name)
    return written


def _figures(project: Project) -> Iterator[tuple[str, Figure]]:
    """Three of all runs, then those of the configured scale's; one without any says so."""
    found = read_tables(project)
    experiment, scale = project.experiment, project.layout.scale
    yield "radar", draw_radar(found.tables)
    yield "parameters", draw_parameters(found.tables)
    yield "rank", draw_rank(found.tables)
    benchmarks = {name: experiment.benchmarks[name] for name in experiment.main.benchmarks}
    shown = [name for name in experiment.variants if name in ("lynx", *experiment.compare_with)]
    note = f"{scale} ({SYNTHETIC})" if experiment.synthetic else scale
    bars = list(bars_of(found.runs, scale, benchmarks, shown))
    yield "benefit", draw_benefit(bars, f"What X gives, at {note}: mean and deviation over seeds")
    curves = read_curves(project.layout.root / "results" / scale / "training")
    yield "training", draw_training(curves, f"Training at {note}")
