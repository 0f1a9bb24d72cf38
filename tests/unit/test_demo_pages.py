"""README.md and docs/demo/README.md state what the committed runs under docs/demo/results say.

After `make snapshot` a failure prints the rows that the pages need.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "docs" / "demo" / "results" / "demo"
SEEDS = (0, 1, 2)
VARIANTS = ("lynx", "video-only", "plain-tower", "zero-shot")
Group = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """A benchmark, and which of its groups of questions need X."""

    title: str
    benchmark: str
    metric: str
    needs_x: tuple[Group, ...]
    any_frame: tuple[Group, ...]


def needs(title: str, benchmark: str, metric: str, x: str) -> Row:
    return Row(title, benchmark, metric, (("needs", x),), (("needs", "colour"),))


def music(title: str, benchmark: str) -> Row:
    heard = (("scenario", "Audio"), ("scenario", "Audio-Visual"))
    return Row(title, benchmark, "exact_accuracy", heard, (("scenario", "Visual"),))


ROWS = (
    needs("ScanQA, EM@1", "scanqa", "em", "depth"),
    needs("SQA3D, EM@1", "sqa3d", "em", "depth"),
    Row("AVQA, accuracy", "avqa", "accuracy", (("relation", "Sound"),), (("relation", "View"),)),
    music("MUSIC-AVQA, accuracy", "music_avqa"),
    music("MUSIC-AVQA, first test set", "music_avqa_original"),
    needs("AVSD, CIDEr", "avsd", "cider", "sound"),
    Row(
        "Ego-Exo4D, accuracy",
        "egoexo",
        "accuracy",
        (("scenario", "Rock Climbing"),),
        (("scenario", "Dance"),),
    ),
    needs("Video-MME, accuracy", "videomme", "accuracy", "fast"),
    needs("MVBench, accuracy", "mvbench", "accuracy", "fast"),
    needs("MLVU, accuracy", "mlvu", "accuracy", "fast"),
)


@cache
def metrics_of(variant: str, benchmark: str, seed: int) -> Any:
    path = RUNS / variant / benchmark / f"seed{seed}" / "metrics.json"
    return json.loads(path.read_text(encoding="utf-8"))


def measured(row: Row, chosen: tuple[Group, ...], variant: str, seed: int) -> tuple[float, int]:
    """The value x 100 over all questions of the groups, and how many they are."""
    groups = metrics_of(variant, row.benchmark, seed)["groups"]
    parts = [groups[dimension][name][row.metric] for dimension, name in chosen]
    count = sum(part["count"] for part in parts)
    return 100 * sum(part["value"] * part["count"] for part in parts) / count, count


def cells(row: Row, chosen: tuple[Group, ...]) -> str:
    written = []
    for variant in VARIANTS:
        values = [measured(row, chosen, variant, seed)[0] for seed in SEEDS]
        spread = "" if variant == "zero-shot" else f" ± {stdev(values):.1f}"
        written.append(f"{fmean(values):.1f}{spread}")
    return " | ".join(written)


def gains(row: Row) -> list[float]:
    return [
        measured(row, row.needs_x, "lynx", seed)[0]
        - measured(row, row.needs_x, "video-only", seed)[0]
        for seed in SEEDS
    ]


def rows_of(page: str, heading: str) -> list[str]:
    """The lines of the table below a header row that begins so, in the page's order."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith(heading)) + 2
    after = next(k for k in range(first, len(lines)) if not lines[k].startswith("|"))
    return lines[first:after]


CAPTION_METRICS = {
    "CIDEr": "cider",
    "BLEU-4": "bleu4",
    "METEOR": "meteor",
    "ROUGE-L": "rouge_l",
    "EM@1": "em",
    "EM@1 refined": "em_refined",
}


def test_readme_shows_what_make_demo_prints() -> None:
    scores = [metrics_of(variant, "scanqa", 0) for variant in VARIANTS]
    rows = {
        title: [score["metrics"][metric]["value"] for score in scores]
        for title, metric in CAPTION_METRICS.items()
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
    expected = [
        f"| {row.title} | {measured(row, row.needs_x, 'lynx', 0)[1]} | {cells(row, row.needs_x)} |"
        for row in ROWS
    ]
    assert rows_of("README.md", "| benchmark | questions |") == expected, "\n".join(expected)


def test_the_demo_page_shows_both_groups_and_the_gains() -> None:
    expected = []
    for row in ROWS:
        gained = ", ".join(f"{gain:+.1f}" for gain in gains(row))
        for kind, chosen, last in (
            ("needs X", row.needs_x, gained),
            ("any frame", row.any_frame, ""),
        ):
            count = measured(row, chosen, "lynx", 0)[1]
            expected.append(f"| {row.title} | {kind} ({count}) | {cells(row, chosen)} | {last} |")
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
