"""The page of samples: for each question its pictures, what was asked, and what each variant said.

All measures are inches from the page's top left corner unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lynx.benchmarks.choices import LETTERS, bracketed
from lynx.benchmarks.sample import Sample
from lynx.metrics.multiple_choice import letter_of
from lynx.report.figures.canvas import new_figure, text_width, wrapped
from lynx.report.samples.choice import Answer, Asked
from lynx.report.samples.pictures import COLUMNS, Pictures, UInt8

WIDTH, MARGIN = 8.27, 0.35  # as wide as A4
SIDES = {2: 0.82, 3: 0.64}
"""Side of a picture by rows of pictures; more rows have smaller ones."""
SMALLEST_SIDE, PICTURE_GAP = 0.54, 0.04
NAMES_WIDTH = 0.22  # of the upright names beside the rows of pictures
TEXT_GAP, BLOCK_GAP = 0.25, 0.26
LINE_HEIGHT = 1.36  # times the size of the letters
SIZE, SMALL, TITLE = 8.5, 7.0, 14.0
MOST_QUESTION, MOST_ANSWER = 6, 2  # lines
GREY, RULE_GREY = "#555555", "#bbbbbb"
# Okabe and Ito's bluish green and vermilion: told apart without red-green vision, and by sign.
RIGHT, WRONG = ("✓", "#009E73"), ("✗", "#D55E00")
MARK_COLOURS = (RIGHT[1], WRONG[1])
BANNER_COLOUR = "#0072B2"
_SIGN = 0.17  # of the sign before a variant's name


@dataclass(frozen=True)
class Line:
    """A line of text, its place from the text's left edge, and the sign that stands there."""

    text: str
    size: float = SIZE
    weight: str = "normal"
    colour: str = "black"
    indent: float = 0.0
    name: str = ""
    sign: tuple[str, str] | None = None

    @property
    def height(self) -> float:
        """The line's share of the page."""
        return self.size * LINE_HEIGHT / 72


@dataclass(frozen=True)
class Entry:
    """One question of the page; `facts` say what it is of."""

    asked: Asked
    facts: str
    pictures: Pictures


@dataclass(frozen=True)
class Page:
    """What a page says, and its questions; `modality` is what X is of."""

    title: str
    subtitle: str
    banner: str
    notes: Sequence[str]
    modality: str
    entries: Sequence[Entry]


def draw_page(page: Page) -> Figure:
    """The page, as high as its questions need."""
    head = list(_head(page))
    blocks = [list(_lines(entry, _text_width(entry.pictures))) for entry in page.entries]
    heights = [
        max(_pictures_height(entry.pictures), sum(line.height for line in lines))
        for entry, lines in zip(page.entries, blocks, strict=True)
    ]
    head_height = sum(line.height for line in head)
    total = 2 * MARGIN + head_height + sum(heights) + BLOCK_GAP * len(heights)
    figure = new_figure(WIDTH, total)
    sheet = _Sheet(figure, total)
    sheet.lines(head, MARGIN, MARGIN)
    top = MARGIN + head_height + BLOCK_GAP
    for entry, lines, height in zip(page.entries, blocks, heights, strict=True):
        sheet.rule(top - BLOCK_GAP / 2)
        sheet.pictures(entry.pictures, page.modality, top)
        sheet.lines(lines, WIDTH - MARGIN - _text_width(entry.pictures), top)
        top += height + BLOCK_GAP
    return figure


def with_option(sample: Sample, text: str) -> str:
    """An answer or a gold letter, with the option that it stands for behind it."""
    letter = letter_of(text, LETTERS[: len(sample.options)])
    if letter is None:
        return text
    option = sample.options[LETTERS.index(letter)]
    return text if option in text else f"{text.strip()}: {option}"


def _head(page: Page) -> Iterator[Line]:
    width = WIDTH - 2 * MARGIN
    yield Line(page.title, TITLE, "bold")
    yield Line(page.subtitle, SIZE + 1)
    if page.banner:
        for text in wrapped(page.banner, width, SIZE, "bold"):
            yield Line(text, SIZE, "bold", BANNER_COLOUR)
    for note in page.notes:
        for text in wrapped(note, width, SMALL + 0.5):
            yield Line(text, SMALL + 0.5, colour=GREY)


def _lines(entry: Entry, width: float) -> Iterator[Line]:
    sample = entry.asked.sample
    for text in wrapped(entry.facts, width, SMALL, most=2):
        yield Line(text, SMALL, colour=GREY)
    for text in wrapped(entry.asked.question, width, SIZE, "bold", MOST_QUESTION):
        yield Line(text, weight="bold")
    yield from map(Line, _options(sample, width))
    yield from _answers(entry.asked, width)


def _options(sample: Sample, width: float) -> Iterator[str]:
    """The options on one line, or each on its own: what is cut off stands in the answers."""
    together = " ".join(bracketed(sample))
    for option in [together] if text_width(together, SIZE) <= width else bracketed(sample):
        yield from wrapped(option, width, SIZE, most=1) if option else ()


def _answers(asked: Asked, width: float) -> Iterator[Line]:
    rows = [("reference", gold_of(asked.sample)), *asked.answers.items()]
    indent = _SIGN + max(text_width(f"{name}  ", SIZE) for name, _ in rows) + 0.06
    for number, (name, answer) in enumerate(rows):
        weight = "normal" if number else "bold"
        sign = None if answer.right is None else RIGHT if answer.right else WRONG
        said = said_of(asked.sample, answer)
        first, *more = wrapped(said, width - indent, SIZE, weight, MOST_ANSWER)
        yield Line(first, weight=weight, indent=indent, name=name, sign=sign)
        for text in more:
            yield Line(text, weight=weight, indent=indent)


def gold_of(sample: Sample) -> Answer:
    """The references, each letter with its option."""
    return Answer(" / ".join(with_option(sample, text) for text in sample.references) or None, None)


def said_of(sample: Sample, answer: Answer) -> str:
    """An answer as it is shown, in full."""
    if answer.text is None:
        return "(nothing)"
    return with_option(sample, answer.text) if answer.text.strip() else "(blank)"


def _side(pictures: Pictures) -> float:
    return SIDES.get(1 + len(pictures.x), SMALLEST_SIDE)


def _pictures_height(pictures: Pictures) -> float:
    rows = 1 + len(pictures.x)
    return rows * _side(pictures) + (rows - 1) * PICTURE_GAP


def _text_width(pictures: Pictures) -> float:
    taken = NAMES_WIDTH + COLUMNS * _side(pictures) + (COLUMNS - 1) * PICTURE_GAP + TEXT_GAP
    return WIDTH - 2 * MARGIN - taken


class _Sheet:
    """A figure that is drawn on in inches from its top left corner."""

    def __init__(self, figure: Figure, height: float) -> None:
        self.figure, self.height = figure, height

    def lines(self, lines: Sequence[Line], left: float, top: float) -> None:
        """Lines one below the other."""
        for line in lines:
            middle = top + line.height / 2
            if line.sign is not None:
                self._text(line.sign[0], left, middle, line.size + 1, "bold", line.sign[1])
            self._text(line.name, left + _SIGN, middle, line.size, "normal", GREY)
            self._text(line.text, left + line.indent, middle, line.size, line.weight, line.colour)
            top += line.height

    def pictures(self, pictures: Pictures, modality: str, top: float) -> None:
        """The video's row and those of X, their names upright before them."""
        side, step = _side(pictures), _side(pictures) + PICTURE_GAP
        self._name("video", MARGIN, top + side / 2)
        rows = len(pictures.x)
        self._name(f"X: {modality}", MARGIN, top + step + (rows * step - PICTURE_GAP) / 2)
        for row, frames in enumerate([pictures.video, *pictures.x]):
            for column, frame in enumerate(frames):
                left = MARGIN + NAMES_WIDTH + column * step
                self._picture(frame, left, top + row * step, side)

    def rule(self, top: float) -> None:
        """A line from margin to margin."""
        y = 1 - top / self.height
        ends = [MARGIN / WIDTH, 1 - MARGIN / WIDTH]
        self.figure.add_artist(Line2D(ends, [y, y], color=RULE_GREY, linewidth=0.6))

    def _picture(self, frame: UInt8, left: float, top: float, side: float) -> None:
        place = (
            left / WIDTH,
            1 - (top + side) / self.height,
            side / WIDTH,
            side / self.height,
        )
        axes = self.figure.add_axes(place)
        axes.imshow(frame, aspect="auto", interpolation="none")
        axes.set_axis_off()

    def _name(self, text: str, left: float, middle: float) -> None:
        self.figure.text(
            left / WIDTH + 0.006,
            1 - middle / self.height,
            text,
            fontsize=SMALL,
            color=GREY,
            rotation=90,
            ha="center",
            va="center",
            parse_math=False,
        )

    def _text(
        self, text: str, left: float, middle: float, size: float, weight: str, colour: str
    ) -> None:
        self.figure.text(
            left / WIDTH,
            1 - middle / self.height,
            text,
            fontsize=size,
            fontweight=weight,
            color=colour,
            ha="left",
            va="center_baseline",
            parse_math=False,
        )
