"""A table of the publication as text cells, the same for every format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lynx.config.published import PublishedRow
from lynx.report.costs import TITLES
from lynx.report.paper import Figure, OurRow, PaperTable

NOTHING, NO_RUN = "-", "no run"
BANNER = (
    "Runs at scale demo are of a tiny model on rendered worlds. They show how the table is filled; "
    "their differences to the publication mean nothing."
)
BEYOND = "*"
LEGEND = (
    "Ours: mean ± sample standard deviation over seeds. Difference: ours less the published value; "
    f"{BEYOND} if that lies more than one deviation away, (1 seed) where no deviation is known. "
    "Hours are seconds of all attempts times processes, the mean of a seed."
)
Kind = Literal["published", "ours", "difference", "control"]


@dataclass(frozen=True)
class TextCell:
    """What a cell says, and the row of `runs` that it leads to."""

    text: str
    runs: str | None = None


@dataclass(frozen=True)
class TextRow:
    """A row of one kind, its label first."""

    kind: Kind
    label: str
    cells: tuple[TextCell, ...]


@dataclass(frozen=True)
class Grid:
    """Header and rows; the notes stand below."""

    title: str
    header: tuple[str, ...]
    rows: tuple[TextRow, ...]
    banner: str
    notes: tuple[str, ...]


def anchor(scale: str, variant: str, benchmark: str) -> str:
    """What the runs of a scale, variant and benchmark are linked by."""
    return f"{scale}-{variant}-{benchmark}".replace(".", "-").replace("_", "-")


def grid_of(table: PaperTable) -> Grid:
    """Every row as text; columns of cost only where something was run."""
    costs = tuple(TITLES.values()) if table.has_costs else ()
    header = ("", *(column.title for column in table.table.columns), *costs)
    notes = [note for note in (table.table.note,) if note]
    if any(True for _ in table.rows):
        notes.append(LEGEND)
    if table.missing:
        notes.append(f"Not run: {'; '.join(table.missing)}.")
    notes.append(f"Published values: {table.source}.")
    banner = BANNER if table.synthetic else ""
    return Grid(table.title, header, tuple(_rows(table)), banner, tuple(notes))


def _rows(table: PaperTable) -> Iterator[TextRow]:
    blank = (TextCell(NOTHING),) * (len(TITLES) if table.has_costs else 0)
    for group in table.groups:
        if group.published is not None:
            yield TextRow(
                "published", group.published.method, (*_printed(table, group.published), *blank)
            )
        for row in group.ours:
            kind: Kind = "control" if group.published is None else "ours"
            costs = blank if row.costs is None else tuple(map(TextCell, row.costs.texts().values()))
            yield TextRow(kind, _label(row), (*map(_cell, row.cells), *(costs if blank else ())))
            if row.compared:
                empty = (TextCell(""),) * len(blank)
                yield TextRow("difference", "difference", (*map(_difference, row.cells), *empty))


def _printed(table: PaperTable, row: PublishedRow) -> Iterator[TextCell]:
    for column, value in zip(table.table.columns, row.values, strict=True):
        yield TextCell(NOTHING if value is None else f"{value:.{column.digits}f}")


def _label(row: OurRow) -> str:
    seeds = sorted({run.name.seed for run in row.runs})
    if not seeds:
        return f"ours: {row.label}"
    return f"ours: {row.label}, seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"


def _cell(figure: Figure | None) -> TextCell:
    if figure is None:
        return TextCell(NO_RUN)
    name = next((run.name for run in figure.runs), None)
    link = None if name is None else anchor(name.scale, name.variant, name.benchmark)
    return TextCell(figure.text, link)


def _difference(figure: Figure | None) -> TextCell:
    if figure is None or figure.difference is None:
        return TextCell("")
    mark = {True: BEYOND, False: "", None: " (1 seed)"}[figure.beyond]
    if figure.column.metric is None:
        mark = ""  # it is counted or measured, and has no seeds
    return TextCell(f"{figure.difference:+.{figure.column.digits}f}{mark}")
