"""Curves of training: both terms of every alignment, and the loss of every tuning."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from lynx.errors import InputError
from lynx.report.figures.style import OTHERS, colour_of, drawing, nothing

TERMS = {"attention": "attention term", "moments": "distribution term"}
ROW = 3
"""Panels beside each other."""


@dataclass(frozen=True)
class Curve:
    """The log of one training: what was trained, and its columns by step."""

    kind: str
    """`align` or `sft`."""
    name: str
    """The alignment, or the benchmark tuned on."""
    variant: str
    columns: Mapping[str, Sequence[float]]


def read_curves(folder: Path) -> list[Curve]:
    """Every curve below `results/<scale>/training`; InputError for a number that is none."""
    return [_read(folder, path) for path in sorted(folder.rglob("*.csv"))]


def _read(folder: Path, path: Path) -> Curve:
    kind, *names = path.relative_to(folder).parent.parts
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns: dict[str, list[float]] = {}
    for row in rows:
        for key, text in row.items():
            value = _number(path, key, text)
            columns.setdefault(key, []).append(value)
    return Curve(kind, names[-1], names[0] if kind == "sft" else "lynx", columns)


def _number(path: Path, key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{path}: {key} is {text!r}, expected a finite number; run its rule again")
    return value


def draw_training(curves: Sequence[Curve], title: str) -> Figure:
    """First the terms of all alignments, a line each; then a panel for each benchmark."""
    if not curves:
        return nothing(title)
    aligned = [curve for curve in curves if curve.kind == "align"]
    tuned: dict[str, list[Curve]] = {}
    for curve in curves:
        if curve.kind == "sft":
            tuned.setdefault(curve.name, []).append(curve)
    panels = (len(TERMS) if aligned else 0) + len(tuned)
    with drawing():
        rows = math.ceil(panels / ROW)
        figure = Figure(figsize=(3.2 * ROW, 2.4 * rows))
        figure.suptitle(title)
        grid = [figure.add_subplot(rows, ROW, place + 1) for place in range(panels)]
        for axes, (term, name) in zip(grid, TERMS.items() if aligned else (), strict=False):
            names = list(dict.fromkeys(curve.name for curve in aligned))
            for curve in aligned:
                _line(axes, curve, term, curve.name, OTHERS[names.index(curve.name) % len(OTHERS)])
            axes.set_title(f"align: {name}")
        for axes, (name, members) in zip(grid[panels - len(tuned) :], tuned.items(), strict=True):
            names = list(dict.fromkeys(curve.variant for curve in members))
            for curve in members:
                colour = colour_of(curve.variant, names.index(curve.variant))
                _line(axes, curve, "loss", curve.variant, colour)
            axes.set_title(f"sft: {name}")
            axes.set_yscale("log")
    return figure


def _line(axes: Any, curve: Curve, column: str, name: str, colour: str) -> None:
    """A curve under its name, which stands once for all seeds."""
    label = None if name in axes.get_legend_handles_labels()[1] else name
    axes.plot(curve.columns["step"], curve.columns[column], label=label, color=colour, linewidth=1)
    axes.set_xlabel("step")
    axes.legend(fontsize=6, ncol=2)
