"""`results/report.html`: tables, figures, samples, workflow and runs in one file of its own."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from lynx.artifacts.publish import write_atomic
from lynx.config.yaml_files import read_mapping
from lynx.ledger.render import PIPELINE
from lynx.project import Project
from lynx.report.figure_style import DOTS_PER_INCH
from lynx.report.figures.dag import draw_dag
from lynx.report.figures.files import FOLDER as FIGURES
from lynx.report.figures.style import drawing
from lynx.report.formats import report_html
from lynx.report.grid import grid_of
from lynx.report.paper_files import PaperTables, read_tables

REPORT = Path("results/report.html")
CSS_DPI = 96
CAPTIONS = {
    "radar": "All benchmarks at a glance; an axis ends at the largest value on it in its panel.",
    "parameters": "Trained parameters against score.",
    "benefit": "Each variant on questions that need X and on those that do not.",
    "rank": "Score against the rank of the vision adapter.",
    "training": "Curves of training: the terms of every alignment, the loss of every tuning.",
}


@dataclass(frozen=True)
class Picture:
    """A picture inside the page."""

    name: str
    caption: str
    data: str
    """PNG, base64."""
    width: int
    """CSS pixels that it is as wide as on paper."""

    @classmethod
    def of(cls, name: str, caption: str, png: bytes) -> Picture:
        """A picture that was drawn at the figures' resolution."""
        width = Image.open(io.BytesIO(png)).width * CSS_DPI // DOTS_PER_INCH
        return cls(name, caption, base64.b64encode(png).decode(), width)


def write_report(project: Project) -> Path:
    """Write the report of what lies below `results/`; figures must have been drawn.

    It opens without anything beside it and fetches nothing. Raises InputError for a score that
    cannot be used, or without a `dvc.yaml`.
    """
    root = project.layout.root
    found = read_tables(project)
    pictures = list(_drawn(root / FIGURES, CAPTIONS))
    samples = sorted((root / FIGURES).glob("*samples.png"))
    text = report_html(
        grids=[(table.stem, grid_of(table)) for table in found.tables],
        figures=pictures,
        samples=[
            Picture.of(path.stem, path.stem.replace("-", " "), path.read_bytes())
            for path in samples
        ],
        workflow=Picture.of("workflow", "", _png(draw_dag(read_mapping(root, PIPELINE)["stages"]))),
        environment=_environment(found),
        cards=found.cards,
        unplaced=found.unplaced,
    )
    write_atomic(root / REPORT, text)
    return REPORT


def _drawn(folder: Path, captions: dict[str, str]) -> Iterator[Picture]:
    for name, caption in captions.items():
        path = folder / f"{name}.png"
        if path.is_file():
            yield Picture.of(name, caption, path.read_bytes())


def _png(figure: Figure) -> bytes:
    image = io.BytesIO()
    with drawing():
        figure.savefig(image, format="png", metadata={"Software": None})
    return image.getvalue()


def _environment(found: PaperTables) -> dict[str, str]:
    """Versions and devices of all runs; several values of one are all named."""
    facts: dict[str, list[str]] = {}
    for run in found.runs:
        for name, version in run.report["versions"].items():
            facts.setdefault(name, []).append(version)
        for cost in run.costs().values():
            facts.setdefault("device", []).append(cost["device"])
    return {name: _together(values) for name, values in facts.items()}


def _together(values: Iterable[str]) -> str:
    return "; ".join(sorted(set(values)))
