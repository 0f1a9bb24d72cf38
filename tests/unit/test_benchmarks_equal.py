"""The paths that `benchmarks` times give equal tokens, losses and answers; no time is asserted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import fast
from benchmarks.paths import MEASURES, PLAIN, Measure, differences, loss_difference, open_paths
from benchmarks.timing import Timing, interleave
from benchmarks.workbench import Workbench, prepare
from lynx.config.stages import Recipe

SCENES, QUESTIONS = 5, 5
# Ten packed groups of three and two questions, and forty maps: three steps each, accumulated.
SMALL: dict[str, dict[str, int]] = {
    "align": {"batch": 16, "micro_batch": 8},
    "sft": {"batch": 12, "micro_batch": 6},
}


@pytest.fixture(scope="module")
def bench(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    folder = tmp_path_factory.mktemp("bench")
    (folder / "base").symlink_to(tiny_base)
    bench = prepare(folder, scenes=SCENES, questions=QUESTIONS)
    data = bench.recipe.model_dump()
    data["sft"]["questions_per_clip"] = 3
    for stage, batches in SMALL.items():
        data[stage]["optimizer"].update(batches)
    return replace(bench, recipe=Recipe.model_validate(data))


@pytest.mark.parametrize("name", MEASURES)
def test_every_path_has_the_plain_result(bench: Workbench, name: str) -> None:
    measure = MEASURES[name]
    found = differences(measure, open_paths(measure, bench))
    assert set(found) == set(measure.paths) - {PLAIN}
    assert all(0 <= value <= measure.tolerance for value in found.values())


def test_streams_and_answers_are_not_trivial(bench: Workbench) -> None:
    """X differs from video, and the questions of a clip are not all answered alike."""
    video, x = fast.features(bench)()[:2]
    assert video.shape == x.shape == (4 * 9 + 1, 48)
    assert float((video[:-1] - x[:-1]).abs().mean()) > 0.1
    answers = fast.predict(bench)()
    assert list(answers) == [sample.id for sample in bench.samples]
    assert len(set(answers.values())) > SCENES


def test_losses_are_of_real_steps_and_a_run_leaves_the_weights(bench: Workbench) -> None:
    """Step 1 has rate zero, so only a third loss tells whether the gradients were equal."""
    for run in (fast.align(bench), fast.sft(bench)):
        losses = run()
        assert len(losses) == 3
        assert len(set(losses)) == 3
        assert run() == losses


def test_a_path_that_differs_is_not_timed() -> None:
    measure = Measure("samples", lambda _: 1, {}, loss_difference, 1e-4)
    with pytest.raises(
        ValueError,
        match=r"^other: differs from the plain path by 0\.5, expected at most 0\.0001; "
        r"nothing was timed$",
    ):
        differences(measure, {PLAIN: lambda: [1.0, 2.0], "other": lambda: [1.0, 2.5]})
    with pytest.raises(ValueError, match=r"^other: differs from the plain path by nan"):
        differences(measure, {PLAIN: lambda: [1.0], "other": lambda: [float("nan")]})


def test_paths_are_timed_in_turn() -> None:
    order: list[str] = []
    paths = {name: lambda name=name: order.append(name) for name in ("plain", "fast")}
    timing = interleave(paths, units=7, rounds=3)
    assert order == ["plain", "fast"] * 3
    assert timing.units == 7
    assert {name: len(seconds) for name, seconds in timing.seconds.items()} == {
        "plain": 3,
        "fast": 3,
    }


def test_ratios_are_of_medians() -> None:
    timing = Timing(12, {"plain": [6.0, 4.0, 50.0], "fast": [2.0, 1.0, 4.0]})
    assert timing.ratio("fast", "plain") == 3.0
    assert timing.spread("fast", "plain") == (3.0, 12.5)
    assert timing.rate("fast") == 6.0
