"""A loss or gradient that is not finite ends a run before it can spoil a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lynx.errors import InputError
from lynx.training.loop import run_training
from tests.unit.test_training_loop import Regression, linear_run, rows_of


@pytest.mark.parametrize(("value", "shown"), [(float("nan"), "nan"), (float("inf"), "inf")])
def test_non_finite_loss(tmp_path: Path, value: float, shown: str) -> None:
    """A sentence, no step with it, and the checkpoints before it stay."""
    run = linear_run(epochs=10)

    def load(items: list[int]) -> torch.Tensor:
        spoilt = items == run.plan.micro_batches(10)[1]
        return rows_of(items) * (value if spoilt else 1.0)

    with pytest.raises(InputError) as caught:
        run_training(replace(run, load=load), tmp_path)
    assert str(caught.value) in {
        f"linear: the loss is {loss} at step 11, expected a finite number; look at the log, lower "
        "learning_rate or check the data, and run again"
        for loss in {shown, "nan"}
    }
    assert all(bool(item.isfinite().all()) for item in run.parameters.values())
    assert max(path.name for path in tmp_path.glob("step-*")) == "step-00000009"
    assert run_training(linear_run(epochs=10), tmp_path)[-1]["step"] == 60


class Steep(Regression):
    """A finite loss whose gradient is not: the root of zero."""

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        return (self.layer(rows) * 0).abs().sqrt().mean(), {}


def test_non_finite_gradient(tmp_path: Path) -> None:
    """Such a step is not taken, so that no checkpoint holds spoilt weights."""
    run = linear_run()
    objective = Steep()
    run = replace(run, objective=objective, parameters=dict(objective.named_parameters()))
    with pytest.raises(InputError) as caught:
        run_training(run, tmp_path)
    assert str(caught.value) == (
        "linear: the gradient norm is nan at step 1, expected a finite number; look at the log, "
        "lower learning_rate or check the data, and run again"
    )
    assert all(bool(item.isfinite().all()) for item in run.parameters.values())
    assert list(tmp_path.glob("step-*")) == []
