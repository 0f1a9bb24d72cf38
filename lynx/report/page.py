"""`results/report.html`: tables, figures, samples, workflow and runs in one file of its own."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lynx.artifacts.publish import write_atomic
from lynx.config.layout import FIGURES
from lynx.config.yaml_files import read_mapping
from lynx.ledger.render import PIPELINE
from lynx.project import Project
from lynx.report.figures.canvas import DOTS_PER_INCH, png_of
from lynx.report.figures.dag import draw_dag
from lynx.report.figures.style import drawing
from lynx.report.paper.files import PaperTables, read_tables
from lynx.report.paper.formats import report_html
from lynx.report.paper.grid import grid_of
from lynx.report.samples.sidecar import read_sheet

CSS_DPI = 96
CAPTIONS = {
    "radar": "All benchmarks at a glance, as in the publication's Figure 2(a). Each axis runs from "
    "zero to the largest value on it in its panel, which stands beside it. A line is a published "
    "method or a variant of ours, in the colour of the row that it stands under: lynx under "
    "V-LynX, video-only under LLaVA-OV-FT, zero-shot under LLaVA-OV. A gap is a value that is not "
    "known.",
    "parameters": "Parameters trained against score, as in the publication's Figure 2(b): one "
    "benchmark of each of Tables 1 to 4, its published rows on the left and our variants on the "
    "right, whose scales are their own. What is higher and further left is better.",
    "benefit": "What X gives: the main metric of each benchmark, named above its panel, within "
    "groups of its questions, a bar for each variant. Of MVBench and MLVU that metric is the mean "
    "over tasks, in which every task weighs the same however many questions it has. Groups on "
    "grey need X, which is known of rendered worlds alone; in the others any frame of the video "
    "answers. lynx sees X through its aligned adapter, video-only no X, plain-tower X without the "
    "adapter, repeated-video the video a second time in place of X, zero-shot video without any "
    "training. Where lynx stands above video-only in a group that needs X, X was read; elsewhere "
    "the two should be alike. Lines on the bars are deviations over seeds, none where there is one "
    "seed.",
    "rank": "Score on ScanQA against the rank of the vision adapter (Table 6): published on the "
    "left, ours on the right, with deviations over seeds; the scales of the axes differ.",
    "training": "Curves of training, from the logs published with the adapters. First both terms "
    "of every alignment, then the loss of tuning, a panel for each benchmark that is trained on "
    "and a line for each variant, lynx thin and on top of the others.",
}
BANNER = (
    "Runs at scale {scales} are of a tiny model on rendered worlds. They show how tables and "
    "figures are filled; their differences to the publication mean nothing."
)
WORKFLOW = (
    "The stages of all configured benchmarks, variants and seeds, from raw data on the left to "
    "tables over seeds on the right; an arrow leads from what is made to what reads it."
)


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
    found, stages = read_tables(project), read_mapping(root, PIPELINE)["stages"]
    pictures = list(_drawn(project.layout.figures))
    sheets = sorted(project.layout.figures.glob("*-samples.json"))
    with drawing():
        workflow = png_of(draw_dag(stages))
    text = report_html(
        banner=_banner(found),
        grids=[(table.stem, grid_of(table)) for table in found.tables],
        figures=pictures,
        samples=[(path.stem, read_sheet(path)) for path in sheets],
        workflow=Picture.of("workflow", WORKFLOW, workflow),
        environment=_environment(found),
        cards=found.cards,
        unplaced=found.unplaced,
    )
    write_atomic(project.layout.report, text)
    return project.layout.report


def _drawn(folder: Path) -> Iterator[Picture]:
    for name in FIGURES:
        path = folder / f"{name}.png"
        if path.is_file():
            yield Picture.of(name, CAPTIONS[name], path.read_bytes())


def _banner(found: PaperTables) -> str:
    """What must be known before any number of it is read; empty where no run is synthetic."""
    scales = sorted({run.name.scale for run in found.runs if run.synthetic})
    return BANNER.format(scales=" and ".join(scales)) if scales else ""


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
