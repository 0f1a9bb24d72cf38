"""How figures are drawn and saved: alike on every machine, and byte for byte when made again."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray
from PIL import Image

from lynx.artifacts.publish import write_atomic

FONT = "DejaVu Sans"  # it comes with matplotlib
DOTS_PER_INCH = 150
PALETTE = 256
SHADES = (1.0, 0.75, 0.5, 0.25)
"""Of a reserved colour on white: its letters have soft edges."""
NEAR = 12
"""By how much of 255 a pixel may differ from a reserved shade that it takes."""
# Neither when a file was made nor by which release of the library.
_NO_TRACE: dict[str, None] = {"CreationDate": None, "Creator": None, "Producer": None}
ELLIPSIS = "…"
Weight = str
"""`normal` or `bold`."""


@contextmanager
def plain_style() -> Iterator[None]:
    """The library's own defaults, whatever a user's settings file says, with embedded fonts."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it reports every table it cuts
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        # Letters as wide as `text_width` says, whatever the dots; fonts in the file, not outlines.
        matplotlib.rcParams.update(
            {"font.family": FONT, "text.hinting": "none", "pdf.fonttype": 42}
        )
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, drawn without a display."""
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, stem: Path, reserved: Sequence[str] = ()) -> None:
    """Write `<stem>.png` and `<stem>.pdf`; `reserved` as in `png_of`."""
    page = io.BytesIO()
    figure.savefig(page, format="pdf", metadata=_NO_TRACE)
    write_atomic(stem.with_name(f"{stem.name}.png"), png_of(figure, reserved))
    write_atomic(stem.with_name(f"{stem.name}.pdf"), page.getvalue())


def png_of(figure: Figure, reserved: Sequence[str] = ()) -> bytes:
    """The picture in 256 colours of its own choice: a third of the bytes, alike to the eye.

    `reserved` colours, on white, are kept as they are: few pixels have them, but they mean
    something, and a choice by numbers of pixels would give them another picture's red.
    """
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    picture = Image.open(drawn).convert("RGB")
    shades = np.array(
        [[1 - (1 - part) * share for part in to_rgb(each)] for each in reserved for share in SHADES]
    ).reshape(-1, 3)
    quantized = _quantized(picture, np.rint(255 * shades).astype(np.int16))
    quantized.save(small, "png", optimize=True, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    return small.getvalue()


def _quantized(picture: Image.Image, shades: NDArray[np.int16]) -> Image.Image:
    """The picture (H x W) with a palette whose last colours are `shades` (N, 3)."""
    free = PALETTE - len(shades)
    quantized = picture.quantize(free)
    if not len(shades):
        return quantized
    pixels, places = np.asarray(picture, np.int16), np.array(quantized)
    for place, shade in enumerate(shades, start=free):
        places[np.abs(pixels - shade).max(axis=-1) <= NEAR] = place
    chosen = (quantized.getpalette() or [])[: 3 * free]
    found = Image.fromarray(places)
    found.putpalette([*chosen, *[0] * (3 * free - len(chosen)), *shades.ravel().tolist()])
    return found


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, weight: Weight = "normal") -> float:
    """Width of a line in inches at a size in points."""
    font = FontProperties(family=FONT, size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def wrapped(
    text: str, width: float, size: float, weight: Weight = "normal", most: int = 99
) -> list[str]:
    """Lines of at most `width` inches; a line break stays one, and what is left out shows as `…`.

    A word wider than a line is cut.
    """
    lines: list[str] = []
    for part in text.splitlines() or [""]:
        lines += _filled(part.split(), width, size, weight)
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and text_width(last + ELLIPSIS, size, weight) > width:
        last = last[:-1]
    return [*lines[: most - 1], last.rstrip() + ELLIPSIS]


def _filled(words: list[str], width: float, size: float, weight: Weight) -> Iterator[str]:
    line = ""
    for word in words:
        longer = f"{line} {word}" if line else word
        if text_width(longer, size, weight) <= width:
            line = longer
            continue
        if line:
            yield line
        line = word
        while text_width(line, size, weight) > width and len(line) > 1:
            fits = next(
                n
                for n in range(len(line) - 1, 0, -1)
                if n == 1 or text_width(line[:n], size, weight) <= width
            )
            yield line[:fits]
            line = line[fits:]
    yield line
