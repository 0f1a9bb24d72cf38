"""What all figures share: colours, fonts, and files that are the same bytes when made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from lynx.report.figure_style import DOTS_PER_INCH, plain_style, save_figure

# Okabe and Ito's colours, which stay apart for colour-blind readers.
COLOURS: Mapping[str, str] = {
    "lynx": "#0072B2",
    "video-only": "#D55E00",
    "plain-tower": "#009E73",
    "repeated-video": "#CC79A7",
    "zero-shot": "#7F7F7F",
    "PAVE": "#E69F00",
}
OTHERS = ("#56B4E9", "#F0E442", "#000000", "#882255", "#44AA99", "#999933")
SYNTHETIC = "rendered worlds, tiny model"
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "figure.dpi": DOTS_PER_INCH,
    "path.simplify": False,
}


@contextmanager
def drawing() -> Iterator[None]:
    """The style of all figures, whatever a user's settings file says."""
    with plain_style():
        mpl.rcParams.update(STYLE)
        yield


def colour_of(name: str, index: int = 0) -> str:
    """A variant's or method's own colour; others take the next of a list."""
    found = next((value for key, value in COLOURS.items() if name.startswith(key)), None)
    return found or OTHERS[index % len(OTHERS)]


def nothing(title: str) -> Figure:
    """A figure of what was not run."""
    with drawing():
        figure = Figure(figsize=(6.0, 1.5))
        figure.suptitle(title)
        figure.text(0.5, 0.4, "no run", ha="center")
    return figure


def save(figure: Figure, stem: Path) -> None:
    """Write `stem`.png and `stem`.pdf; equal data give equal bytes."""
    with drawing():
        save_figure(figure, stem)
