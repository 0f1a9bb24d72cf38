"""Training on two ranks is training on one: the same micro-batches, the same curve and weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from lynx.artifacts.sealed import open_line
from lynx.errors import InputError
from lynx.ranks.place import Ranks, here
from lynx.training.loop import Training, run_training
from lynx.training.plan import make_plan, require_ranks
from tests.ranks_alone import on_ranks_alone
from tests.unit.test_training_loop import OPTIMIZER, StoppedError, linear_run, stopping

# Sums of a step's gradients are rounded in another order; float32 has 6e-8.
LOSS, WEIGHT = 1e-6, 1e-6


class Partial(nn.Module):
    """Two layers of which micro-batches with an odd item leave one without a gradient."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.always, self.rarely = nn.Linear(6, 1), nn.Linear(6, 1)

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        out = self.always(rows)
        if float(rows[0, 0]) > 0:
            out = out + self.rarely(rows)
        return (out.squeeze(-1) - rows.sum(dim=-1)).square().mean(), {}


def partial_run() -> Training[int, torch.Tensor]:
    objective = Partial()
    settings = OPTIMIZER.model_copy(update={"weight_decay": 0.1})
    run = linear_run()
    return replace(
        run,
        objective=objective,
        parameters=dict(objective.named_parameters()),
        settings=settings,
        plan=make_plan(range(10), settings, per_item=1, seed=3),
    )


CASES = {
    "even": lambda: linear_run(items=32, batch=8, epochs=4),  # four micro-batches, two a rank
    "short": lambda: linear_run(items=29, batch=8, epochs=4),  # last step: 2, 2 and 1 items
    "one-left": lambda: linear_run(items=33, batch=8, epochs=4),  # last step: rank 1 has nothing
    "two": lambda: linear_run(items=24, batch=4, epochs=4),  # one micro-batch a rank
    "partial": partial_run,
}


def result(run: Training[int, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: item.detach().clone() for name, item in run.parameters.items()}


def train_all(folder: Path) -> None:
    """What every rank does: all cases, one from where it was left, and one up to a stop."""
    for name, make in CASES.items():
        run = make()
        run_training(run, folder / name)
        save_file(result(run), folder / f"{name}-{here().index}.safetensors")
    run_training(CASES["even"](), folder / "alone-then-two")
    with pytest.raises(StoppedError):
        run_training(stopping(CASES["even"](), calls=11), folder / "two-then-alone")


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    for name in (*CASES, "alone-then-two", "two-then-alone"):
        (folder / name).mkdir()
    with pytest.raises(StoppedError):
        run_training(stopping(CASES["even"](), calls=21), folder / "alone-then-two")
    on_ranks_alone(2, train_all, folder)
    return folder


def losses(log: Path) -> list[dict[str, float]]:
    return [open_line(line) for line in log.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", CASES)
def test_two_ranks_are_one(together: Path, tmp_path: Path, name: str) -> None:
    """Losses and weights of two processes with half the accumulation each."""
    run = CASES[name]()
    records = run_training(run, tmp_path)
    found = losses(together / name / "log.jsonl")
    assert len(found) == len(records) == run.plan.steps
    for mine, theirs in zip(records, found, strict=True):
        assert theirs == pytest.approx(mine, rel=LOSS)
    weights = load_file(together / f"{name}-0.safetensors")
    for key, item in result(run).items():
        torch.testing.assert_close(weights[key], item, rtol=0, atol=WEIGHT)


def test_one_micro_batch_a_rank_is_exact(together: Path, tmp_path: Path) -> None:
    """The sum of two numbers has no order: then both runs are equal in every bit."""
    run = CASES["two"]()
    assert run_training(run, tmp_path) == losses(together / "two" / "log.jsonl")
    weights = load_file(together / "two-0.safetensors")
    assert all(torch.equal(weights[key], item) for key, item in result(run).items())


@pytest.mark.parametrize("name", CASES)
def test_ranks_agree(together: Path, name: str) -> None:
    """Every rank ends with the same bits."""
    one, other = (load_file(together / f"{name}-{index}.safetensors") for index in (0, 1))
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", ["alone-then-two", "two-then-alone"])
def test_another_number_of_ranks_goes_on(together: Path, tmp_path: Path, name: str) -> None:
    """Begun alone and gone on with by two ranks, and the other way round."""
    records = run_training(CASES["even"](), tmp_path)
    state = together / name
    if name == "two-then-alone":
        assert 0 < len(list(state.glob("step-*"))) <= 2
        assert losses(state / "log.jsonl")[-1]["step"] < len(records)
        run_training(CASES["even"](), state)
    for mine, theirs in zip(records, losses(state / "log.jsonl"), strict=True):
        assert theirs == pytest.approx(mine, rel=LOSS)


def test_shares() -> None:
    """Every item falls to one rank, with its place."""
    parts = [Ranks(index, 3).share("abcdefgh") for index in range(3)]
    assert parts[1] == [(1, "b"), (4, "e"), (7, "h")]
    assert sorted(pair for part in parts for pair in part) == list(enumerate("abcdefgh"))


@pytest.mark.parametrize(("batch", "micro", "ranks"), [(8, 4, 2), (96, 8, 3), (8, 8, 1)])
def test_batches_that_divide(batch: int, micro: int, ranks: int) -> None:
    settings = OPTIMIZER.model_copy(update={"batch": batch, "micro_batch": micro})
    require_ranks(settings, ranks, "align")


def test_a_batch_that_does_not_divide() -> None:
    settings = OPTIMIZER.model_copy(update={"batch": 8, "micro_batch": 4})
    with pytest.raises(InputError) as caught:
        require_ranks(settings, 3, "sft")
    assert str(caught.value) == (
        "sft.optimizer.batch 8 is not a multiple of sft.optimizer.micro_batch 4 x 3 ranks; change "
        "one of them in the recipe, or the number of ranks (--ranks, gpus of the scale)"
    )
