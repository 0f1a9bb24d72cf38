"""The plan of steps: every item once per epoch, nothing dropped, the same in every process."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynx.config.stages import OptimizerSettings
from lynx.errors import InputError
from lynx.training.plan import TrainingPlan, derived_seed, make_plan

RECORDED = [[[0, 2], [3, 4]], [[1, 5]], [[2, 4], [3, 1]], [[0, 5]]]
RECORDED_SEED = 1186917750850176449


def settings(**changes: float) -> OptimizerSettings:
    values: dict[str, float] = {
        "learning_rate": 1e-3,
        "epochs": 2,
        "batch": 8,
        "micro_batch": 4,
        "warmup_ratio": 0.03,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
    }
    return OptimizerSettings.model_validate(values | changes)


@given(
    count=st.integers(1, 60),
    micro=st.integers(1, 5),
    accumulation=st.integers(1, 4),
    epochs=st.integers(1, 3),
    seed=st.integers(0, 2**31),
)
def test_every_item_once_per_epoch(
    count: int, micro: int, accumulation: int, epochs: int, seed: int
) -> None:
    """Each epoch shows each item once; only its last step and last micro-batch may be short."""
    batch = micro * accumulation
    plan = make_plan(
        range(count), settings(batch=batch, micro_batch=micro, epochs=epochs), per_item=1, seed=seed
    )
    per_epoch = math.ceil(count / batch)
    assert (plan.steps, plan.steps_per_epoch) == (epochs * per_epoch, per_epoch)
    for epoch in range(epochs):
        steps = [plan.micro_batches(epoch * per_epoch + place) for place in range(per_epoch)]
        seen = [item for step in steps for part in step for item in part]
        assert sorted(seen) == list(range(count))
        for step in steps[:-1]:
            assert [len(part) for part in step] == [micro] * accumulation
        last = count - batch * (per_epoch - 1)
        short = [] if last % micro == 0 else [last % micro]
        assert [len(part) for part in steps[-1]] == [micro] * (last // micro) + short


def test_order_is_a_function_of_seed_and_epoch() -> None:
    """The same in every process and for every history; another with another seed or epoch."""
    items = list("abcdefghij")
    plan = make_plan(items, settings(batch=10, micro_batch=5), per_item=1, seed=7)
    again = make_plan(items, settings(batch=10, micro_batch=5), per_item=1, seed=7)
    assert again.micro_batches(1) == plan.micro_batches(1)
    assert again.micro_batches(0) == plan.micro_batches(0)
    assert plan.micro_batches(0) != plan.micro_batches(1)
    other = make_plan(items, settings(batch=10, micro_batch=5), per_item=1, seed=8)
    assert other.micro_batches(0) != plan.micro_batches(0)
    assert plan.micro_batches(0) != [items[:5], items[5:]]  # it is shuffled


def test_recorded_order() -> None:
    """Pinned, so that an order that changes between versions is noticed."""
    plan = make_plan(range(6), settings(batch=4, micro_batch=2), per_item=1, seed=42)
    assert [plan.micro_batches(step) for step in range(4)] == RECORDED
    assert derived_seed(42, "order", 0) == RECORDED_SEED


def test_seeds_of_purposes_differ() -> None:
    """A seed names its purpose; the parts of a name do not run together."""
    seeds = {
        derived_seed(1, "order", 1),
        derived_seed(1, "step", 1),
        derived_seed(1, "order", 11),
        derived_seed(11, "order", 1),
        derived_seed(1, "order"),
    }
    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_partial_epochs() -> None:
    """Half an epoch is half its steps, rounded up, and at least one."""
    half = settings(batch=4, micro_batch=4, epochs=0.5)
    assert make_plan(range(40), half, per_item=1, seed=0).steps == 5
    assert make_plan(range(37), half, per_item=1, seed=0).steps == 5
    assert make_plan(range(1), half, per_item=1, seed=0).steps == 1


def test_batches_of_groups() -> None:
    """Batch sizes count samples: groups of 4 questions make 16 samples 4 items."""
    plan = make_plan(range(10), settings(batch=16, micro_batch=8), per_item=4, seed=0)
    assert (plan.batch, plan.micro_batch, plan.steps) == (4, 2, 2 * 3)


def test_rate_is_warm_up_then_cosine() -> None:
    """Section 4.3: 3 % linear warm-up from zero, then half a cosine to zero."""
    plan: TrainingPlan[int] = make_plan(range(800), settings(batch=8, epochs=2), per_item=1, seed=0)
    assert (plan.steps, plan.warmup_steps) == (200, 6)
    assert [plan.rate_factor(step) for step in range(7)] == pytest.approx(
        [0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1]
    )
    assert plan.rate_factor(6 + 97) == pytest.approx(0.5)
    assert plan.rate_factor(199) == pytest.approx(0.5 * (1 + math.cos(math.pi * 193 / 194)))
    assert plan.rate_factor(200) == pytest.approx(0.0)
    rates = [plan.rate_factor(step) for step in range(6, 200)]
    assert rates == sorted(rates, reverse=True)


def test_no_warm_up() -> None:
    """A ratio of zero begins at the full rate."""
    plan = make_plan(range(8), settings(warmup_ratio=0.0), per_item=1, seed=0)
    assert plan.rate_factor(0) == 1.0


def test_nothing_to_train_on() -> None:
    with pytest.raises(InputError) as caught:
        make_plan([], settings(), per_item=1, seed=0)
    assert str(caught.value) == (
        "found no clip to train on, expected one at least; stage frames has listed them as "
        "missing, so get the files or lower frames.allow_missing"
    )
