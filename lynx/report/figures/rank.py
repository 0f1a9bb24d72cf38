"""Score against the rank of the vision adapter (the publication's Table 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from lynx.report.figures.style import BESIDE, COLOURS, SYNTHETIC, Spot, drawing, name_spots
from lynx.report.paper.tables import OurRow, PaperTable

TABLE = "6"


def draw_rank(tables: Sequence[PaperTable]) -> Figure:
    """CIDEr and EM@1: published on the left, ours on the right, with deviations over seeds."""
    (table,) = (each for each in tables if each.table.number == TABLE)
    titles = [column.title for column in table.table.columns]
    with drawing():
        figure = Figure(figsize=(7.6, 5.4))
        grid = figure.subplots(2, 2, sharex=True)
        named = []
        for line, title in enumerate(("CIDEr", "EM@1")):
            place = titles.index(title)
            published = sorted(
                (int(group.published.method.split()[-1]), value)
                for group in table.groups
                if group.published is not None
                and (value := group.published.values[place]) is not None
            )
            left, right = grid[line]
            left.plot(*zip(*published, strict=True), marker="o", color=COLOURS["lynx"])
            left.set_title(f"{title}, published, 0.5B")
            named.append((right, _draw_ours(right, [row for row in table.rows if row.runs], place)))
            note = f" ({SYNTHETIC})" if table.synthetic else ""
            right.set_title(f"{title}, ours{note}")
            for axes in (left, right):
                axes.set_xscale("log", base=2)
                axes.set_xticks([8, 16, 32, 64], ["8", "16", "32", "64"])
                axes.set_xlabel("rank of the vision adapter" if line else "")
                axes.set_xlim(6, 85)
        name_spots(figure, named, BESIDE)
    return figure


def rank_of(row: OurRow) -> int:
    """The rank that a row's runs were trained with; one name may have another at another scale."""
    rank: int = row.runs[0].report["ranks"]["vision"]
    return rank


def _draw_ours(axes: Any, rows: Sequence[OurRow], place: int) -> list[Spot]:
    """Draw a star for each row that has the figure; gives their names and places."""
    found = sorted(
        (rank_of(row), cell.spread.mean, cell.spread.deviation or 0.0, row.label)
        for row in rows
        if (cell := row.cells[place]) is not None
    )
    if not found:
        axes.text(0.5, 0.5, "no run", ha="center", va="center", transform=axes.transAxes)
        return []
    for rank, mean, deviation, _ in found:
        axes.errorbar(
            [rank], [mean], yerr=[deviation], marker="*", color=COLOURS["lynx"], capsize=3
        )
    axes.margins(y=0.25)
    return [(label, float(rank), mean) for rank, mean, _, label in found]
