"""All benchmarks at a glance: the publication's Figure 2(a), and the same of our runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from lynx.config.published import Column, PublishedRow
from lynx.report.figures.style import SYNTHETIC, colour_of, drawing
from lynx.report.paper.tables import PaperTable

FAMILIES = ("1", "2", "3", "4")
"""Tables whose benchmarks are axes."""
ROW = 2
"""Panels beside each other."""
FEWEST = 3
"""Values that a line needs to be drawn."""
Values = dict[str, float]


@dataclass(frozen=True)
class Panel:
    """One radar: values by axis of each series."""

    title: str
    series: Mapping[str, Values]
    colours: Mapping[str, str]
    """Of a published method that of the variant that stands under it."""


def axis_columns(table: PaperTable) -> list[tuple[int, Column]]:
    """The first column of each benchmark that is over all its questions, with its place."""
    found: dict[str, tuple[int, Column]] = {}
    for index, column in enumerate(table.table.columns):
        if column.benchmark is not None and column.group is None:
            found.setdefault(column.benchmark, (index, column))
    return list(found.values())


def panels(tables: Sequence[PaperTable]) -> list[Panel]:
    """Published rows by size, then our rows by scale; sizes and scales without values are left."""
    families = [table for table in tables if table.table.number in FAMILIES]
    sizes = dict.fromkeys(
        group.published.ours.scale
        for table in families
        for group in table.groups
        if group.published is not None and group.published.ours is not None
    )
    found = [_published(families, size) for size in sizes]
    for scale in dict.fromkeys(row.scale for table in families for row in table.rows if row.runs):
        rows = [row for table in families for row in table.rows if row.scale == scale]
        note = f"\n({SYNTHETIC})" if any(row.synthetic for row in rows) else ""
        series = _ours(families, scale)
        colours = {name: colour_of(name, index) for index, name in enumerate(series)}
        found.append(Panel(f"ours, {scale}{note}", series, colours))
    return [panel for panel in found if panel.series]


def _published(tables: Sequence[PaperTable], size: str) -> Panel:
    """The rows that ours stand under and those of one size, called as they are first printed."""
    series: dict[str, Values] = {}
    names: dict[str, str] = {}
    for table in tables:
        for group in table.groups:
            row = group.published
            key = None if row is None else _series(row, size)
            if row is not None and key is not None:
                name = names.setdefault(key, row.method.replace(f"-{size.upper()}", ""))
                _take(series.setdefault(name, {}), axis_columns(table), row.values)
    colours = {name: colour_of(key, index) for index, (key, name) in enumerate(names.items())}
    return Panel(f"published, {size.upper()}", _whole(series), colours)


def _ours(tables: Sequence[PaperTable], scale: str) -> dict[str, Values]:
    series: dict[str, Values] = {}
    for table in tables:
        for row in table.rows:
            if row.scale == scale and row.runs and row.variant is not None:
                means = [None if cell is None else cell.spread.mean for cell in row.cells]
                _take(series.setdefault(row.variant, {}), axis_columns(table), means)
    return _whole(series)


def _series(row: PublishedRow, size: str) -> str | None:
    """The line that a published row belongs to; None if it is of another size or of none."""
    if row.ours is not None:
        return row.ours.variant if row.ours.scale == size else None
    ending = f"-{size.upper()}"
    return row.method.removesuffix(ending) if row.method.endswith(ending) else None


def _take(values: Values, axes: Sequence[tuple[int, Column]], row: Sequence[float | None]) -> None:
    for index, column in axes:
        value = row[index]
        if value is not None:
            values[column.title] = value


def _whole(series: Mapping[str, Values]) -> dict[str, Values]:
    return {name: values for name, values in series.items() if len(values) >= FEWEST}


def draw_radar(tables: Sequence[PaperTable]) -> Figure:
    """A radar for each panel; every axis runs from zero to the largest value on it there."""
    found = panels(tables)
    titles = [
        column.title
        for table in tables
        if table.table.number in FAMILIES
        for _, column in axis_columns(table)
    ]
    with drawing():
        rows = -(-len(found) // ROW)
        figure = Figure(figsize=(4.8 * ROW, 4.7 * rows))
        grid = figure.add_gridspec(rows, 2 * ROW)  # half panels: one that is left over is centred
        for place, panel in enumerate(found):
            row, column = divmod(place, ROW)
            left = 2 * column + (ROW - min(ROW, len(found) - row * ROW))
            axes: Any = figure.add_subplot(grid[row, left : left + 2], projection="polar")
            _draw_panel(axes, panel, titles)
    return figure


def _draw_panel(axes: Any, panel: Panel, titles: Sequence[str]) -> None:
    angles = [2 * math.pi * index / len(titles) for index in range(len(titles))]
    most = {
        title: max((values.get(title, 0.0) for values in panel.series.values()), default=0.0)
        for title in titles
    }
    for name, values in panel.series.items():
        # A line has a gap where nothing is known.
        radius = [values[title] / most[title] if title in values else math.nan for title in titles]
        axes.plot(
            [*angles, angles[0]],
            [*radius, radius[0]],
            marker="o",
            markersize=3,
            label=name,
            color=panel.colours[name],
        )
    axes.set_theta_offset(math.pi / 2)
    axes.set_theta_direction(-1)
    axes.set_xticks(angles, [f"{title}\n{most[title]:.1f}" for title in titles])
    for angle, label in zip(angles, axes.get_xticklabels(), strict=True):
        side = math.sin(angle)
        label.set_horizontalalignment(
            "left" if side > 0.1 else "right" if side < -0.1 else "center"
        )
    axes.set_ylim(0, 1.05)
    axes.set_yticks([0.25, 0.5, 0.75, 1.0], [""] * 4)
    axes.set_title(panel.title, pad=16)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncol=3)
