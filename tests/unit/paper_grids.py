"""The publication's tables of a project, and the texts of their rows."""

from __future__ import annotations

from pathlib import Path

from lynx.report.paper.files import PaperTables, read_tables
from lynx.report.paper.grid import Grid, grid_of
from lynx.report.paper.tables import PaperTable
from tests.project_copy import load


def tables(root: Path) -> PaperTables:
    return read_tables(load(root))


def table(root: Path, name: str) -> PaperTable:
    (found,) = (each for each in tables(root).tables if each.name == name)
    return found


def grid(root: Path, name: str) -> Grid:
    return grid_of(table(root, name))


def row(grid: Grid, start: str) -> dict[str, str]:
    """A row's texts by column; the first row whose label starts so."""
    found = next(row for row in grid.rows if row.label.startswith(start))
    texts = [cell.text for cell in found.cells]
    return dict(zip(grid.header[1:], texts, strict=True))


def after(grid: Grid, start: str) -> dict[str, str]:
    """The row below that one."""
    labels = [row.label.startswith(start) for row in grid.rows]
    below = grid.rows[labels.index(True) + 1]
    assert below.kind == "difference"
    texts = [cell.text for cell in below.cells]
    return dict(zip(grid.header[1:], texts, strict=True))
