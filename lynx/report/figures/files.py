"""`results/figures/`: every figure, from scores and curves below `results/` alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from lynx.config.layout import FIGURES
from lynx.project import Project
from lynx.report.figures.benefit import Bars, bars_of, draw_benefit
from lynx.report.figures.parameters import draw_parameters
from lynx.report.figures.radar import draw_radar
from lynx.report.figures.rank import draw_rank
from lynx.report.figures.style import SYNTHETIC, save
from lynx.report.figures.training import draw_training, read_curves
from lynx.report.paper.files import PaperTables, read_tables


def write_figures(project: Project) -> list[Path]:
    """Write each of `FIGURES` as PNG and PDF; gives their paths without endings.

    Raises InputError for a score or a curve that cannot be used.
    """
    stems = [project.layout.figures / name for name in FIGURES]
    for stem, figure in zip(stems, _figures(project), strict=True):
        save(figure, stem)
    return stems


def _figures(project: Project) -> Iterator[Figure]:
    """In the order of `FIGURES`: three of all runs, then those of the configured scale's.

    One without any says so.
    """
    found = read_tables(project)
    experiment, scale = project.experiment, project.layout.scale
    yield draw_radar(found.tables)
    yield draw_parameters(found.tables)
    yield draw_rank(found.tables)
    note = f"{scale} ({SYNTHETIC})" if experiment.synthetic else scale
    bars = benefit_bars(project, found)
    yield draw_benefit(bars, f"What X gives, at {note}: mean and deviation over seeds")
    curves = read_curves(project.layout.curves)
    yield draw_training(curves, f"Training at {note}")


def benefit_bars(project: Project, found: PaperTables) -> list[Bars]:
    """Of the configured scale and benchmarks: the variants of the headline and our controls of the
    tables, in the configuration's order, where they were run."""
    experiment = project.experiment
    controls = {name for table in found.tables for name in table.table.controls}
    shown = experiment.in_order(controls.union(experiment.shown_variants))
    benchmarks = {name: experiment.benchmarks[name] for name in experiment.main.benchmarks}
    return list(bars_of(found.runs, project.layout.scale, benchmarks, shown))
