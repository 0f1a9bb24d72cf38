"""`lynx compare` in the terminal: the table of runs, and the questions on which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lynx.benchmarks.choices import bracketed
from lynx.report.comparison.bootstrap import LEVEL, RESAMPLES, Interval
from lynx.report.comparison.compare import Comparison, Differing, Row
from lynx.report.terminal import TITLES

MARK = "*"
SHOWN = 20
"""Questions that are listed unless told otherwise."""


def print_comparison(found: Comparison, console: Console) -> None:
    """Print the table: for each metric a line a run, with its difference to the first run."""
    report = found.runs[0].score.report
    note = ", synthetic world" if report.get("synthetic") else ""
    table = Table(
        title=f"{report['benchmark']}, split {report['split']}, {report['samples']} questions{note}"
        "\nvalues x 100",
        caption=f"in brackets: {LEVEL:.0%} of {RESAMPLES:,} paired resamples of the questions\n"
        f"{MARK} the interval of the difference excludes zero",
    )
    table.add_column("")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column(Text(f"difference to\n{found.runs[0].label}"), justify="right")
    for row in found.rows:
        table.add_row(Text(title_of(row)), style="bold")
        for label, score, difference in cells(found, row):
            table.add_row(*(Text(cell) for cell in (f"  {label}", score, difference)))
        table.add_section()
    console.print(table)
    for why in dict.fromkeys(row.why_not for row in found.rows if row.why_not):
        names = ", ".join(title_of(row) for row in found.rows if row.why_not == why)
        console.print(f"No interval of {names}: {why}.", highlight=False, markup=False)


def title_of(row: Row) -> str:
    """A metric's name, and the group with its number of questions."""
    title = TITLES.get(row.metric, row.metric)
    return title if row.group is None else f"{title}, {' '.join(row.group)} ({row.count})"


def cells(found: Comparison, row: Row) -> Iterator[tuple[str, str, str]]:
    """A run's label, its value, and its difference to the first run, by run."""
    for place, (run, value) in enumerate(zip(found.runs, row.values, strict=True)):
        paired = row.paired
        own = f"{100 * value:.1f}" + _bounds(paired.runs[place] if paired else None)
        if place == 0:
            yield run.label, own, ""
            continue
        interval = paired.differences[place] if paired else None
        mark = f"{MARK} " if interval is not None and interval.excludes_zero else ""
        difference = f"{mark}{100 * row.differences()[place]:+.1f}{_bounds(interval)}"
        yield run.label, own, difference


def _bounds(interval: Interval | None) -> str:
    return "" if interval is None else f" [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def print_questions(found: Comparison, limit: int | None, console: Console) -> None:
    """Print questions with different scores, at most `limit`, with every run's answer."""
    for line in question_lines(found, SHOWN if limit is None else limit):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def question_lines(found: Comparison, limit: int) -> Iterator[str]:
    """How many questions differ, which way, and the first of them."""
    title = TITLES.get(found.main_metric, found.main_metric)
    if found.differing is None:
        yield f"{title} has no score of a single question, so none can be listed."
        return
    differing, total = found.differing, len(found.compared.samples)
    yield f"{len(differing)} of {total} questions have different scores ({title})."
    first = found.runs[0].label
    for place, run in enumerate(found.runs[1:], start=1):
        better = sum(item.scores[place] > item.scores[0] for item in differing)
        worse = sum(item.scores[place] < item.scores[0] for item in differing)
        yield f"{run.label}: better than {first} on {better}, worse on {worse}."
    for item in differing[:limit]:
        yield ""
        yield from _question(found, item)
    if len(differing) > limit:
        yield ""
        yield f"{len(differing) - limit} more; --limit {len(differing)} lists all."


def _question(found: Comparison, item: Differing) -> Iterator[str]:
    sample = item.sample
    yield f"{sample.id}: {sample.turns[-1].question}"
    if sample.options:
        yield f"  options: {', '.join(bracketed(sample))}"
    yield f"  gold: {' | '.join(sample.references)}"
    for run, score in zip(found.runs, item.scores, strict=True):
        answer = run.answers.get(sample.id, "no answer").strip() or "an empty answer"
        yield f"  {run.label}: {answer} ({_verdict(score, found.differing or [])})"


def _verdict(score: float, differing: Sequence[Differing]) -> str:
    """Right or wrong where the metric knows nothing between, else the score x 100."""
    if all(value in (0, 1) for item in differing for value in item.scores):
        return "right" if score else "wrong"
    return f"{100 * score:.1f}"
