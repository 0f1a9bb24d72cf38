"""The files of the publication's tables, from the scores and measures below `results/` alone."""

from __future__ import annotations

from dataclasses import dataclass

from lynx.artifacts.publish import write_atomic
from lynx.config.published import published_of
from lynx.config.yaml_files import read_mapping
from lynx.project import Project
from lynx.report.paper.cards import RunCard, cards_of
from lynx.report.paper.formats import RUNS_PAGE, html, latex, markdown, runs_html, runs_markdown
from lynx.report.paper.grid import grid_of
from lynx.report.paper.measures import read_measures
from lynx.report.paper.tables import PaperTable, TableBuilder
from lynx.report.paper.tidy import tidy
from lynx.report.runs import Runs, read_runs


@dataclass(frozen=True)
class PaperTables:
    """All tables, the runs that they are of, and what stands in none of them."""

    tables: tuple[PaperTable, ...]
    runs: Runs
    unplaced: tuple[str, ...]
    cards: tuple[RunCard, ...]
    """What their cells lead to."""


def read_tables(project: Project) -> PaperTables:
    """Read every score below `results/` and put it where it belongs.

    Raises InputError for a score, measure or published table that cannot be used.
    """
    root = project.layout.root
    published = published_of(project.experiment, root)
    runs = read_runs(root)
    seeds = tuple(project.experiment.main.seeds)
    measures = read_measures(root)
    builder = TableBuilder(published, runs, measures, seeds)
    tables = builder.tables()
    cards = cards_of(runs, measures, _recipes(project))
    return PaperTables(tuple(tables), runs, tuple(builder.unplaced(tables)), tuple(cards))


def _recipes(project: Project) -> dict[str, str]:
    """By scale, the recipe that the configuration takes at it."""
    root, chosen = project.layout.root, project.experiment.main.recipe
    files = sorted((root / "config/scales").glob("*.yaml"))
    return {
        path.stem: chosen or read_mapping(root, path.relative_to(root))["recipe"] for path in files
    }


def write_tables(project: Project) -> PaperTables:
    """Write `results/tables/<number>-<name>.{csv,md,tex,html}` and the page of runs."""
    found, folder = read_tables(project), project.layout.tables
    for table in found.tables:
        grid, stem = grid_of(table), table.stem
        texts = {"csv": tidy(table), "md": markdown(grid), "tex": latex(grid), "html": html(grid)}
        for kind, text in texts.items():
            write_atomic(folder / f"{stem}.{kind}", text)
    write_atomic(folder / f"{RUNS_PAGE}.md", runs_markdown(found.cards))
    write_atomic(folder / f"{RUNS_PAGE}.html", runs_html(found.cards))
    return found
