"""README.md and docs/demo/README.md state what the committed runs under docs/demo/results say.

After `make snapshot` a failure prints the rows that the pages need.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from lynx.report.figures.benefit import needs_x
from lynx.report.spread import Spread
from lynx.report.terminal import TITLES

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "docs" / "demo" / "results" / "demo"
SEEDS = (0, 1, 2)
VARIANTS = ("lynx", "video-only", "plain-tower", "zero-shot")


@dataclass(frozen=True)
class Row:
    """A benchmark, and the grouping that says which of its questions need X."""

    title: str
    benchmark: str
    metric: str
    grouping: str = "needs"


ROWS = (
    Row("ScanQA, EM@1", "scanqa", "em"),
    Row("SQA3D, EM@1", "sqa3d", "em"),
    Row("AVQA, accuracy", "avqa", "accuracy", "relation"),
    Row("MUSIC-AVQA, accuracy", "music_avqa", "exact_accuracy", "scenario"),
    Row("MUSIC-AVQA, first test set", "music_avqa_original", "exact_accuracy", "scenario"),
    Row("AVSD, CIDEr", "avsd", "cider"),
    Row("Ego-Exo4D, accuracy", "egoexo", "accuracy", "scenario"),
    Row("Video-MME, accuracy", "videomme", "accuracy"),
    Row("MVBench, accuracy", "mvbench", "accuracy"),
    Row("MLVU, accuracy", "mlvu", "accuracy"),
)


@cache
def metrics_of(variant: str, benchmark: str, seed: int) -> Any:
    path = RUNS / variant / benchmark / f"seed{seed}" / "metrics.json"
    return json.loads(path.read_text(encoding="utf-8"))


def measured(row: Row, variant: str, seed: int, *, x: bool = True) -> tuple[float, int]:
    """The value x 100 over all questions that need X, or that do not, and how many they are."""
    groups = metrics_of(variant, row.benchmark, seed)["groups"][row.grouping]
    parts = [
        group[row.metric]
        for name, group in groups.items()
        if needs_x(f"{row.grouping} {name}") == x
    ]
    count = sum(part["count"] for part in parts)
    return 100 * sum(part["value"] * part["count"] for part in parts) / count, count


def cells(row: Row, *, x: bool = True) -> str:
    written = []
    for variant in VARIANTS:
        values = [measured(row, variant, seed, x=x)[0] for seed in SEEDS]
        written.append(Spread.over_seeds(values, trained=variant != "zero-shot").text())
    return " | ".join(written)


def gains(row: Row) -> list[float]:
    return [measured(row, "lynx", seed)[0] - measured(row, "video-only", seed)[0] for seed in SEEDS]


def rows_of(page: str, heading: str) -> list[str]:
    """The lines of the table below a header row that begins so, in the page's order."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith(heading)) + 2
    after = next(k for k in range(first, len(lines)) if not lines[k].startswith("|"))
    return lines[first:after]


CAPTION_METRICS = ("cider", "bleu4", "meteor", "rouge_l", "em", "em_refined")


def test_readme_shows_what_make_demo_prints() -> None:
    headline = json.loads((RUNS.parent / "scanqa/metrics.json").read_text(encoding="utf-8"))
    scores = [headline, *headline["compare_with"].values()]
    titles = "".join(f" `{name}` |" for name in ("lynx", *headline["compare_with"]))
    assert f"| x 100 |{titles}\n" in (ROOT / "README.md").read_text(encoding="utf-8")
    rows = {
        TITLES[metric]: [score["metrics"][metric]["value"] for score in scores]
        for metric in CAPTION_METRICS
    }
    for kind in ("colour", "depth"):
        of_kind = [score["groups"]["needs"][kind]["em"] for score in scores]
        rows[f"EM@1 {kind} ({of_kind[0]['count']})"] = [one["value"] for one in of_kind]
    expected = [
        f"| {title} | {' | '.join(f'{100 * value:.1f}' for value in values)} |"
        for title, values in rows.items()
    ]
    assert rows_of("README.md", "| x 100 |") == expected, "\n".join(expected)


def test_readme_shows_the_questions_that_need_x() -> None:
    expected = [f"| {row.title} | {measured(row, 'lynx', 0)[1]} | {cells(row)} |" for row in ROWS]
    assert rows_of("README.md", "| benchmark | questions |") == expected, "\n".join(expected)


def test_the_demo_page_shows_both_groups_and_the_gains() -> None:
    expected = []
    for row in ROWS:
        gained = ", ".join(f"{gain:+.1f}" for gain in gains(row))
        for kind, x, last in (
            ("needs X", True, gained),
            ("any frame", False, ""),
        ):
            count = measured(row, "lynx", 0, x=x)[1]
            expected.append(f"| {row.title} | {kind} ({count}) | {cells(row, x=x)} | {last} |")
    shown = rows_of("docs/demo/README.md", "| benchmark | questions |")
    assert shown == expected, "\n".join(expected)


@pytest.mark.parametrize("seed", SEEDS[1:])
def test_untrained_answers_do_not_depend_on_the_seed(seed: int) -> None:
    for row in ROWS:
        groups = metrics_of("zero-shot", row.benchmark, seed)["groups"]
        assert groups == metrics_of("zero-shot", row.benchmark, 0)["groups"]


def test_every_family_gains_ten_points_over_the_seeds() -> None:
    """What the demo worlds are for: X reaches the answers of every family."""
    fast = ("videomme", "mvbench", "mlvu")
    families = [[row] for row in ROWS if row.benchmark not in fast]
    families.append([row for row in ROWS if row.benchmark in fast])
    for family in families:
        assert fmean(gain for row in family for gain in gains(row)) >= 10, family[0].title
