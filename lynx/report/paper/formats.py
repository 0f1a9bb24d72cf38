"""A table as Markdown, LaTeX (booktabs) and an HTML page, and all runs of all tables as a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from lynx.report.paper.cards import RunCard
from lynx.report.paper.grid import Grid, TextCell
from lynx.report.runs import RENDERED

RUNS_PAGE = "runs"
"""The name of the page that lists runs, without its ending."""
_LATEX = {
    "\\": r"\textbackslash{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "Δ": r"$\Delta$",
    "¹": "$^1$",
    "²": "$^2$",
    "\N{EN DASH}": "--",
    "*": "$^*$",
}


@cache
def _templates() -> tuple[Environment, Environment]:
    """For text and pages, and for LaTeX: full of braces, it has marks of its own."""
    text = Environment(
        loader=PackageLoader("lynx.report"),
        autoescape=lambda name: bool(name and ".html" in name),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    latex = text.overlay(
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    latex.filters["latex"] = latex_text
    latex.filters["cell"] = _latex_cell
    latex.filters["head"] = _latex_head
    return text, latex


def _render(template: str, **values: Any) -> str:
    return _templates()[".tex" in template].get_template(template).render(**values)


def latex_text(text: str) -> str:
    """Text with LaTeX's special characters, and those of tables here, as commands."""
    letters = "".join(_LATEX.get(letter, letter) for letter in text)
    return re.sub(r"(?<![\w-])([+-])(\d)", r"$\1$\2", letters)


def _latex_cell(cell: TextCell) -> str:
    text = latex_text(cell.text)
    return text if cell.card is None else f"\\lynxrun{{{cell.card}}}{{{text}}}"


def _latex_head(title: str) -> str:
    """A column's title, a line for each word: columns are narrower than their titles."""
    words = latex_text(title).split()
    return "\\shortstack[r]{" + " \\\\ ".join(words) + "}" if len(words) > 1 else "".join(words)


def markdown(grid: Grid) -> str:
    """GitHub's Markdown; a cell of ours leads to its runs."""

    def cell(found: TextCell) -> str:
        text = found.text.replace("*", "\\*")
        target = found.target(f"{RUNS_PAGE}.md")
        return text if target is None else f"[{text}]({target})"

    emphasis = {"published": "{}", "ours": "**{}**", "control": "**{}**", "difference": "*{}*"}

    def body(part: Grid) -> list[str]:
        lines = [_line(part.header), _line(["---", *("---:" for _ in part.header[1:])])]
        for row in part.rows:
            lines.append(_line([emphasis[row.kind].format(row.label), *map(cell, row.cells)]))
        return [*lines, *(line for note in part.notes for line in ("", note))]

    lines = [f"# {grid.title}", ""]
    if grid.banner:
        lines += [f"> **{grid.banner}**", ""]
    lines += body(grid)
    if grid.costs is not None:
        lines += ["", f"## {grid.costs.title}", "", *body(grid.costs)]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def latex(grid: Grid) -> str:
    """A `table*` with booktabs rules; the document loads booktabs and graphicx.

    Where it loads hyperref too, a cell of ours leads to its runs on the page beside the tables.
    """
    return _render("table.tex.j2", grid=grid, runs_page=f"{RUNS_PAGE}.html")


def html(grid: Grid) -> str:
    """A page of its own, without anything fetched."""
    return _render("table.html.j2", grid=grid, runs_page=f"{RUNS_PAGE}.html")


def runs_markdown(cards: Sequence[RunCard]) -> str:
    """Every run of the tables: what it was made from, file by file."""
    return _render("runs.md.j2", cards=cards, banner=_runs_banner(cards))


def runs_html(cards: Sequence[RunCard]) -> str:
    """The same as a page."""
    return _render("runs.html.j2", cards=cards, banner=_runs_banner(cards))


def _runs_banner(cards: Iterable[RunCard]) -> str:
    return RENDERED if any(card.synthetic for card in cards) else ""


def report_html(**parts: Any) -> str:
    """One page of tables, figures, samples, workflow, environment and runs; see `page`."""
    return _render("report.html.j2", **parts)
