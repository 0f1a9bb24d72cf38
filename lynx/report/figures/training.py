"""Curves of training: both terms of every alignment, and the loss of every tuning."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from lynx.config.experiment import MAIN_VARIANT
from lynx.errors import InputError
from lynx.report.figures.style import COLOURS, OTHERS, drawing, nothing

TERMS = {"attention": "attention term", "moments": "distribution term"}
ROW = 3
"""Panels beside each other."""
NAMES = 6
"""Names beside each other below the panels."""
DASHES = ("-", "--", ":")
"""Lines of names that share a colour."""
THIN, WIDE, PALE = 0.9, 2.0, 0.6
"""Points of lynx's line, which stands on the others, and of theirs, and how much these cover."""
MARKED = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
"""Figures that an axis in powers of ten names: losses rarely span more than one."""


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
    return Curve(kind, names[-1], names[0] if kind == "sft" else MAIN_VARIANT, columns)


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
    panels, looks = (len(TERMS) if aligned else 0) + len(tuned), _looks(curves)
    with drawing():
        rows = math.ceil(panels / ROW)
        figure = Figure(figsize=(3.2 * ROW, 2.4 * rows + 0.17 * math.ceil(len(looks) / NAMES)))
        figure.suptitle(title)
        grid = [figure.add_subplot(rows, ROW, place + 1) for place in range(panels)]
        shown: dict[str, Any] = {}
        for axes, (term, title_of) in zip(grid, TERMS.items() if aligned else (), strict=False):
            shown |= _lines(axes, aligned, term, looks)
            axes.set_title(f"align: {title_of}")
        for axes, (name, members) in zip(grid[panels - len(tuned) :], tuned.items(), strict=True):
            shown |= _lines(axes, members, "loss", looks)
            axes.set_title(f"sft: {name}")
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=MARKED))
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.yaxis.set_minor_locator(NullLocator())
        shown = {name: shown[name] for name in looks}
        figure.legend(
            shown.values(), shown.keys(), loc="outside lower center", ncol=NAMES, fontsize=7
        )
    return figure


def _name(curve: Curve) -> str:
    return f"{curve.kind}: {curve.name if curve.kind == 'align' else curve.variant}"


def _looks(curves: Sequence[Curve]) -> dict[str, tuple[str, str]]:
    """Colour and dashes by name, the same in every panel; variants with a colour keep it, others
    share a few."""
    looks, others = dict[str, tuple[str, str]](), dict[str, int]()
    for curve in curves:
        name = _name(curve)
        if curve.kind == "sft" and curve.variant in COLOURS:
            looks[name] = (COLOURS[curve.variant], DASHES[0])
        elif name not in looks:
            count = others.get(curve.kind, 0)
            others[curve.kind] = count + 1
            around, place = divmod(count, len(OTHERS))
            looks[name] = (OTHERS[place], DASHES[around % len(DASHES)])
    return looks


def _lines(
    axes: Any, curves: Sequence[Curve], column: str, looks: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    """A line for each curve; gives one of each name, whose seeds look alike."""
    drawn: dict[str, Any] = {}
    # lynx last: with X through the plain tower the loss is much the same, and would hide it.
    for curve in sorted(curves, key=_on_top):
        colour, dashes = looks[name := _name(curve)]
        steps, values = curve.columns["step"], curve.columns[column]
        drawn[name], *_ = axes.plot(
            steps,
            values,
            color=colour,
            linestyle=dashes,
            linewidth=THIN if _on_top(curve) else WIDE,
            alpha=1.0 if _on_top(curve) else PALE,
        )
    axes.set_xlabel("step")
    axes.set_ylabel(TERMS.get(column, column))
    return drawn


def _on_top(curve: Curve) -> bool:
    """Alignments do not lie over each other."""
    return curve.kind == "align" or curve.variant == MAIN_VARIANT
