"""Intervals against what is known of them, and resampled metrics against scoring the resample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap

from lynx.metrics import captions
from lynx.metrics import meteor as meteor_module
from lynx.metrics.captions import caption_scores
from lynx.metrics.meteor import meteor
from lynx.metrics.per_item import PerItem, mean, mean_of_parts
from lynx.report.comparison.bootstrap import (
    RESAMPLES,
    Interval,
    Paired,
    paired_intervals,
    resampled_sums,
)

QUESTIONS = 400


def right(share: float, seed: int) -> NDArray[np.float64]:
    """Which of the questions are right, exactly a share of them, in random order."""
    answers = np.zeros(QUESTIONS)
    answers[: round(share * QUESTIONS)] = 1
    return np.random.default_rng(seed).permutation(answers)


def intervals(*runs: PerItem) -> Paired:
    return paired_intervals({"accuracy": runs})["accuracy"]


def width(interval: Interval) -> float:
    return interval.high - interval.low


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_share_has_the_interval_of_the_normal_approximation(share: float) -> None:
    found = intervals(mean(right(share, 1)))
    half = 1.96 * math.sqrt(share * (1 - share) / QUESTIONS)
    assert found.values == (pytest.approx(share),)
    # Both ends within a tenth of the half width; a share moves in steps of a question.
    assert found.runs[0].low == pytest.approx(share - half, abs=0.1 * half)
    assert found.runs[0].high == pytest.approx(share + half, abs=0.1 * half)
    assert found.differences == (Interval(0.0, 0.0),)


def test_a_paired_difference_has_the_interval_of_its_own_deviation() -> None:
    first = right(0.5, 1)
    second = first.copy()
    second[np.flatnonzero(first == 0)[:30]] = 1
    found = intervals(mean(first), mean(second))
    gain = 30 / QUESTIONS
    half = 1.96 * math.sqrt(gain * (1 - gain) / QUESTIONS)
    assert found.differences[1].low == pytest.approx(gain - half, abs=0.1 * half)
    assert found.differences[1].high == pytest.approx(gain + half, abs=0.1 * half)
    assert found.differences[1].excludes_zero


def test_what_runs_share_cancels_in_their_difference() -> None:
    first = right(0.5, 1)
    alike = first.copy()
    alike[:20] = 1 - alike[:20]
    unlike = right(alike.mean(), 2)
    paired = width(intervals(mean(first), mean(alike)).differences[1])
    unpaired = width(intervals(mean(first), mean(unlike)).differences[1])
    assert paired < 0.5 * unpaired
    # Runs that know nothing of each other: variances add up.
    apart = [width(intervals(mean(run)).runs[0]) for run in (first, unlike)]
    assert unpaired == pytest.approx(math.hypot(*apart), rel=0.1)


def test_scipy_finds_the_same_interval() -> None:
    generator = np.random.default_rng(3)
    first, second = generator.normal(0.4, 0.2, 60), generator.normal(0.5, 0.2, 60)
    expected = bootstrap(
        (second, first),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        paired=True,
        method="percentile",
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(4),
    ).confidence_interval
    found = intervals(mean(first), mean(second)).differences[1]
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.005)


def test_intervals_are_the_same_every_time_and_beside_any_other_metric() -> None:
    runs = [mean(right(0.5, 1)), mean(right(0.6, 2))]
    again = {"other": [mean(right(0.1, 3)), mean(right(0.1, 4))], "accuracy": runs}
    assert paired_intervals(again)["accuracy"] == intervals(*runs)
    assert list(paired_intervals(again)) == ["other", "accuracy"]


@pytest.mark.parametrize(
    ("low", "high", "excludes"),
    [(0.01, 0.2, True), (-0.2, -0.01, True), (-0.1, 0.1, False), (0.0, 0.1, False)],
)
def test_zero_is_excluded_by_a_whole_interval_alone(
    low: float, high: float, excludes: bool
) -> None:
    assert Interval(low, high).excludes_zero is excludes


def test_a_mean_over_tasks_draws_within_each_task() -> None:
    # Tasks of one level each: nothing varies within them, all of it between them.
    tasks = ["easy"] * 30 + ["hard"] * 10
    values = [1.0] * 30 + [0.0] * 10
    within = mean_of_parts(values, tasks)
    assert intervals(within).runs == (Interval(0.5, 0.5),)
    assert width(intervals(mean(values)).runs[0]) > 0.2
    counts = resampled_sums(np.eye(40), within.strata)
    assert counts.shape == (RESAMPLES, 40)
    assert set(counts[:, :30].sum(axis=1)) == {30}
    assert set(counts[:, 30:].sum(axis=1)) == {10}


def test_a_mean_over_tasks_passes_over_tasks_that_a_group_lacks() -> None:
    item = mean_of_parts([1, 0, 1], ["a", "a", "b"])
    assert item.pooled() == 0.75
    assert item.only(np.array([0, 1])).pooled() == 0.5
    assert item.alone().tolist() == [1, 0, 1]


PAIRS = [
    ("brown chair", ["a brown wooden chair", "brown chair"]),
    ("it is on the left", ["it is on the left"]),
    ("table by the windows", ["the table next to the window"]),
    ("one", ["one"]),
    ("", ["two lamps"]),
    ("a lamp and a red chair", ["a red lamp and the chairs"]),
]


def test_a_resample_of_pooled_metrics_is_what_scoring_it_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def score(places: Sequence[int]) -> captions.CaptionScores:
        drawn = {f"{number}": PAIRS[place] for number, place in enumerate(places)}
        texts = {name: text for name, (text, _) in drawn.items()}
        return caption_scores(texts, {name: gold for name, (_, gold) in drawn.items()})

    with meteor() as scorer:
        for module in (captions, meteor_module):
            monkeypatch.setattr(module, "meteor", lambda: nullcontext(scorer))
        # They are tokens already, and Java takes its time to say so.
        monkeypatch.setattr(captions, "tokenize", list)
        once = score(range(len(PAIRS)))
        for places in ([1, 1, 3, 4], [0, 2, 2, 5, 5, 5], [3, 1, 0], [4, 2, 5, 5]):
            expected = score(places).overall
            for name in ("bleu1", "bleu2", "bleu3", "bleu4", "meteor", "rouge_l"):
                found = once.per_item[name].only(np.array(places)).pooled()
                assert found == pytest.approx(expected[name], abs=1e-12), name
