"""What all figures share: colours, fonts, and files that are the same bytes when made again."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from lynx.artifacts.publish import write_atomic

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
    "font.family": "DejaVu Sans",
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
    "pdf.fonttype": 42,
    "savefig.dpi": 160,
    "path.simplify": False,
}
_NO_DATES: Mapping[str, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def colour_of(name: str, index: int = 0) -> str:
    """A variant's or method's own colour; others take the next of a list."""
    found = next((value for key, value in COLOURS.items() if name.startswith(key)), None)
    return found or OTHERS[index % len(OTHERS)]


# It tells every glyph that it embeds in a PDF.
logging.getLogger("fontTools").setLevel(logging.WARNING)


def nothing(title: str) -> Figure:
    """A figure of what was not run."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 1.5))
        figure.suptitle(title)
        figure.text(0.5, 0.4, "no run", ha="center")
    return figure


def save(figure: Figure, stem: Path) -> None:
    """Write `stem`.png and `stem`.pdf, without dates, so that equal data give equal bytes."""
    with mpl.rc_context(STYLE):
        for kind, metadata in _NO_DATES.items():
            text = io.BytesIO()
            figure.savefig(text, format=kind, metadata=metadata)
            write_atomic(stem.with_name(f"{stem.name}.{kind}"), text.getvalue())
