"""A table of the publication as text cells, the same for every format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lynx.config.published import PublishedRow
from lynx.report.paper.costs import TITLES
from lynx.report.paper.tables import Figure, OurRow, PaperTable
from lynx.report.runs import RENDERED

NOTHING = "-"
BANNER = (
    f"{RENDERED} They show how the table is filled; their differences to the publication mean "
    "nothing."
)
BEYOND, ONE_SEED = "*", "¹"
MARKS = {
    BEYOND: "if that lies more than one deviation away",
    ONE_SEED: "if one seed leaves it unknown",
}
SPREAD_LEGEND = "Ours: mean ± sample standard deviation over seeds."
DIFFERENCE_LEGEND = "Difference: ours less the published value"
UNTRAINED_LEGEND = "A row without training is the same for every seed, and stands as one."
COST_TITLE = "What our runs took"
COST_LEGEND = (
    "Device time of one seed ({devices}): wall time of all attempts times processes, what "
    "benchmarks share counted once. Visual tokens are those before a question, memory the most of "
    "any one process."
)
Kind = Literal["published", "ours", "difference", "control"]


@dataclass(frozen=True)
class TextCell:
    """What a cell says, and the card that it leads to on the page of runs."""

    text: str
    card: str | None = None

    def target(self, runs_page: str) -> str | None:
        """The link, seen from the folder of tables; a page without a name is the cell's own."""
        return None if self.card is None else f"{runs_page}#{self.card}"


@dataclass(frozen=True)
class TextRow:
    """A row of one kind, its label first."""

    kind: Kind
    label: str
    cells: tuple[TextCell, ...]


@dataclass(frozen=True)
class Grid:
    """Header and rows; the notes stand below, then what our rows took, if any was run."""

    title: str
    header: tuple[str, ...]
    rows: tuple[TextRow, ...]
    banner: str
    notes: tuple[str, ...]
    costs: Grid | None = None


def anchor(*names: str) -> str:
    """What the card of runs (scale, variant, benchmark) or a measure (scale, kind) is linked by."""
    return "-".join(names).replace(".", "-").replace("_", "-")


def grid_of(table: PaperTable) -> Grid:
    """Every row as text."""
    header = ("", *(column.title for column in table.table.columns))
    notes = [note for note in (table.table.note,) if note]
    if legend := _legend(table):
        notes.append(legend)
    if table.missing:
        notes.append(f"Not run: {'; '.join(table.missing)}.")
    notes.append(f"Published values: {table.source}.")
    banner = BANNER if table.synthetic else ""
    rows = tuple(_rows(table))
    return Grid(table.title, header, rows, banner, tuple(notes), _costs_of(table))


def _legend(table: PaperTable) -> str:
    """What the cells of ours need to be read, and no more; empty where there is none of them."""
    cells = [cell for row in table.rows for cell in row.cells if cell is not None]
    said = []
    if any(cell.spread.deviation is not None for cell in cells):
        said.append(SPREAD_LEGEND)
    if any(cell.difference is not None for cell in cells):
        found = {_mark(cell) for cell in cells}
        marks = ", ".join(f"{mark} {meaning}" for mark, meaning in MARKS.items() if mark in found)
        said.append(f"{DIFFERENCE_LEGEND}; {marks}." if marks else f"{DIFFERENCE_LEGEND}.")
    if any(cell.untrained for cell in cells):
        said.append(UNTRAINED_LEGEND)
    return " ".join(said)


def _costs_of(table: PaperTable) -> Grid | None:
    rows = tuple(
        TextRow("ours", _label(row), tuple(map(TextCell, row.costs.texts().values())))
        for row in table.rows
        if row.costs is not None
    )
    if not rows:
        return None
    devices = {name for row in table.rows if row.costs is not None for name in row.costs.devices}
    legend = COST_LEGEND.format(devices="; ".join(sorted(devices)))
    return Grid(COST_TITLE, ("", *TITLES.values()), rows, "", (legend,))


def _rows(table: PaperTable) -> Iterator[TextRow]:
    for group in table.groups:
        if group.published is not None:
            printed = tuple(_printed(table, group.published))
            yield TextRow("published", group.published.method, printed)
        for row in group.ours:
            kind: Kind = "control" if group.published is None else "ours"
            yield TextRow(kind, _label(row), tuple(_ours(table, row)))
            if row.compared:
                yield TextRow("difference", "difference", tuple(map(_difference, row.cells)))


def _printed(table: PaperTable, row: PublishedRow) -> Iterator[TextCell]:
    for column, value in zip(table.table.columns, row.values, strict=True):
        yield TextCell(NOTHING if value is None else f"{value:.{column.digits}f}")


def _label(row: OurRow) -> str:
    seeds = {run.name.seed for run in row.runs}
    count = f" ({len(seeds)} seed{'s' if len(seeds) > 1 else ''})" if seeds else ""
    return f"ours: {row.label}{count}"


def _ours(table: PaperTable, row: OurRow) -> Iterator[TextCell]:
    for column, figure in zip(table.table.columns, row.cells, strict=True):
        yield TextCell(row.emptiness(column)) if figure is None else _cell(figure)


def _cell(figure: Figure) -> TextCell:
    if figure.measure is not None:
        return TextCell(figure.text, anchor(figure.measure.scale, figure.measure.kind))
    name = figure.runs[0].name
    return TextCell(figure.text, anchor(name.scale, name.variant, name.benchmark))


def _difference(figure: Figure | None) -> TextCell:
    if figure is None or figure.difference is None:
        return TextCell("")
    return TextCell(f"{figure.difference:+.{figure.column.digits}f}{_mark(figure)}")


def _mark(figure: Figure) -> str:
    """How a difference stands to our spread; what is counted or measured has none."""
    if figure.difference is None or figure.column.metric is None:
        return ""
    return {True: BEYOND, False: "", None: ONE_SEED}[figure.beyond]
