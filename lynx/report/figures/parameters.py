"""Trained parameters against score: the publication's Figure 2(b), a panel for each family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from lynx.report.figures.radar import FAMILIES, axis_columns
from lynx.report.figures.style import SYNTHETIC, Spot, colour_of, drawing, name_spots
from lynx.report.paper.tables import PaperTable


def draw_parameters(tables: Sequence[PaperTable]) -> Figure:
    """Published rows as circles; ours as stars, in a panel of their own: other worlds score so."""
    families = [table for table in tables if table.table.number in FAMILIES]
    with drawing():
        figure = Figure(figsize=(8.0, 2.6 * len(families)))
        grid: Any = figure.subplots(len(families), 2, squeeze=False)
        named = []
        for line, table in enumerate(families):
            place, shown = axis_columns(table)[-1]
            for column, spots in enumerate((_published(table, place), _ours(table, place))):
                axes = grid[line][column]
                _scatter(axes, spots, "*" if column else "o")
                axes.set_title(f"{shown.title}, {'ours' if column else 'published'}")
                named.append((axes, spots))
        if any(table.synthetic for table in families):
            figure.suptitle(f"ours: {SYNTHETIC}")
        for axes in grid[-1]:
            axes.set_xlabel("trained parameters (millions)")
        name_spots(figure, named)
    return figure


def _published(table: PaperTable, place: int) -> list[Spot]:
    last = len(table.table.columns) - 1
    return [
        (group.published.method, parameters, score)
        for group in table.groups
        if group.published is not None
        and (parameters := group.published.values[last]) is not None
        and (score := group.published.values[place]) is not None
    ]


def _ours(table: PaperTable, place: int) -> list[Spot]:
    last = len(table.table.columns) - 1
    return [
        (row.variant or row.scale, parameters.spread.mean, score.spread.mean)
        for row in table.rows
        if (parameters := row.cells[last]) is not None and (score := row.cells[place]) is not None
    ]


def _scatter(axes: Any, spots: Sequence[Spot], marker: str) -> None:
    if not spots:
        axes.text(0.5, 0.5, "no run", ha="center", va="center", transform=axes.transAxes)
        axes.set_xticks([])
        axes.set_yticks([])
        return
    for index, (name, parameters, score) in enumerate(spots):
        # Variant names of ours, and the kind of method of theirs, decide the colour.
        known = {"V-LynX": "lynx", "LLaVA-OV": "video-only"}
        own = next((ours for start, ours in known.items() if name.startswith(start)), name)
        size = 90 if marker == "*" else 36
        colour = colour_of(own, index)
        axes.scatter([parameters], [score], marker=marker, s=size, color=colour, clip_on=False)
    axes.margins(x=0.25, y=0.25)
    axes.set_xlim(left=0.0)  # a spot there stands on the axis: fewer are not trained
