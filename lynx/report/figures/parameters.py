"""Trained parameters against score: the publication's Figure 2(b), a panel for each family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from lynx.report.figures.radar import FAMILIES, axis_columns
from lynx.report.figures.style import SYNTHETIC, colour_of, drawing
from lynx.report.paper import PaperTable

Spot = tuple[str, float, float]
"""What it is called, millions of parameters, score."""


def draw_parameters(tables: Sequence[PaperTable]) -> Figure:
    """Published rows as circles; ours as stars, in a panel of their own: other worlds score so."""
    families = [table for table in tables if table.table.number in FAMILIES]
    with drawing():
        figure = Figure(figsize=(3.3 * len(families), 6.2))
        grid: Any = figure.subplots(2, len(families), squeeze=False)
        for column, table in enumerate(families):
            place, shown = axis_columns(table)[-1]
            for row, spots in enumerate((_published(table, place), _ours(table, place))):
                _scatter(grid[row][column], spots, "*" if row else "o")
                grid[row][column].set_title(shown.title)
                grid[row][column].set_xlabel("trained parameters (millions)")
        note = f" ({SYNTHETIC})" if any(table.synthetic for table in families) else ""
        grid[0][0].set_ylabel("published")
        grid[1][0].set_ylabel(f"ours{note}")
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
        axes.scatter([parameters], [score], marker=marker, s=size, color=colour_of(own, index))
        axes.annotate(
            name,
            (parameters, score),
            xytext=(0, 7),
            textcoords="offset points",
            fontsize=7,
            ha="center",
        )
    axes.margins(x=0.3, y=0.2)
