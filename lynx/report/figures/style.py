"""What all figures share: colours, fonts, and files that are the same bytes when made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from lynx.report.figures.canvas import DOTS_PER_INCH, plain_style, save_figure, text_width

# Okabe and Ito's colours, then Tol's, which stay apart for colour-blind readers and on white.
COLOURS: Mapping[str, str] = {
    "lynx": "#0072B2",
    "video-only": "#D55E00",
    "plain-tower": "#009E73",
    "repeated-video": "#CC79A7",
    "zero-shot": "#7F7F7F",
    "PAVE": "#E69F00",
}
OTHERS = ("#56B4E9", "#332288", "#000000", "#882255", "#44AA99", "#999933")
Spot = tuple[str, float, float]
"""What it is called, and its place in the data."""
NAME_SIZE = 7.0
# Places of a name's middle from its spot's, in its own width and in points, the likeliest first.
NAME_PLACES = (
    *((aside, up) for up in (9, -9, 17, -17, 25, -25) for aside in (0.0, 0.6, -0.6)),
    (0.6, 0),
    (-0.6, 0),
)
BESIDE = ((0.6, 0), (-0.6, 0), *NAME_PLACES)
"""The same for spots with bars over and under them."""
SPOT_POINTS = 5.0
"""Half the side of what a name must not cover of another spot."""
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


def name_spots(
    figure: Figure,
    spots: Sequence[tuple[Any, Sequence[Spot]]],
    tried: Sequence[tuple[float, float]] = NAME_PLACES,
) -> None:
    """Write the names of all spots of each axes, none over another name or spot where it can be.

    It is called last, because places depend on the layout; names have no part in that.
    """
    figure.draw_without_rendering()
    points = figure.dpi / 72
    for axes, named in spots:
        dots = [axes.transData.transform((x, y)) for _, x, y in named]
        taken = [_box(dot, SPOT_POINTS * points, SPOT_POINTS * points) for dot in dots]
        inside = axes.get_window_extent()
        for (name, x, y), dot in zip(named, dots, strict=True):
            width = text_width(name, NAME_SIZE) * 72
            places = [(aside * (width + 2 * SPOT_POINTS), up) for aside, up in tried]
            half = (width / 2 * points, NAME_SIZE / 2 * points)
            boxes = [
                _box((dot[0] + right * points, dot[1] + up * points), *half) for right, up in places
            ]
            free = [
                index
                for index, box in enumerate(boxes)
                if not any(box.overlaps(other) for other in taken)
                and inside.x0 <= box.x0
                and box.x1 <= inside.x1
                and inside.y0 <= box.y0
                and box.y1 <= inside.y1
            ]
            chosen = free[0] if free else 0
            taken.append(boxes[chosen])
            text = axes.annotate(
                name,
                (x, y),
                xytext=places[chosen],
                textcoords="offset points",
                fontsize=NAME_SIZE,
                ha="center",
                va="center",
            )
            text.set_in_layout(False)


def _box(middle: Any, half_width: float, half_height: float) -> Bbox:
    x, y = middle
    return Bbox.from_extents(x - half_width, y - half_height, x + half_width, y + half_height)


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
