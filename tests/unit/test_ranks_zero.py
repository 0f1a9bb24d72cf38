"""Training under DeepSpeed's ZeRO is training without it, on two CPU ranks."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lynx.artifacts.sealed import open_line
from lynx.ranks.place import here
from lynx.training.deepspeed import zero_config
from lynx.training.loop import Training, run_training
from tests.ranks_alone import on_ranks_alone
from tests.unit.test_training_loop import (
    OPTIMIZER,
    StoppedError,
    align_run,
    linear_run,
    stopping,
)

needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None, reason="DeepSpeed compiles its CPU part with g++, which is missing"
)
STAGES = (2, 3)
# DeepSpeed adds 1e-6 to the norm at another place than torch when it clips.
LOSS, WEIGHT = 1e-5, 1e-5


def linear() -> Training[int, torch.Tensor]:
    """29 items by 8: the last step has three micro-batches, of which the ranks make four places."""
    return linear_run(items=29, batch=8, epochs=4, weight_decay=0.1)


def stage_two(folder: Path) -> Training[int, torch.Tensor]:
    return align_run(folder / "base")


def train_all(folder: Path) -> None:
    """Both stages of ZeRO, from nothing and from a checkpoint of a plain run, and up to a stop."""
    os.environ["DS_ACCELERATOR"] = "cpu"
    for zero in STAGES:
        run = replace(linear(), zero=zero)
        run_training(run, folder / f"linear-{zero}")
        save(run, folder / f"linear-{zero}-{here().index}.safetensors")
        run_training(replace(linear(), zero=zero), folder / f"from-plain-{zero}")
        with pytest.raises(StoppedError):
            run_training(
                stopping(replace(linear(), zero=zero), calls=17), folder / f"to-plain-{zero}"
            )
        run = replace(stage_two(folder), zero=zero)
        run_training(run, folder / f"align-{zero}")
        save(run, folder / f"align-{zero}-{here().index}.safetensors")


def save(run: Training[int, torch.Tensor], path: Path) -> None:
    save_file({name: item.detach().clone() for name, item in run.parameters.items()}, path)


@pytest.fixture(scope="module")
def together(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zero")
    (folder / "base").symlink_to(tiny_base)
    for zero in STAGES:
        for name in ("linear", "from-plain", "to-plain", "align"):
            (folder / f"{name}-{zero}").mkdir()
        with pytest.raises(StoppedError):
            run_training(stopping(linear(), calls=21), folder / f"from-plain-{zero}")
    on_ranks_alone(2, train_all, folder)
    return folder


def records(state: Path) -> list[dict[str, float]]:
    return [open_line(line) for line in (state / "log.jsonl").read_text().splitlines()]


def assert_alike(
    run: Training[int, torch.Tensor], mine: list[dict[str, float]], state: Path, weights: Path
) -> None:
    found = records(state)
    assert len(found) == len(mine)
    for one, other in zip(mine, found, strict=True):
        assert other == pytest.approx(one, rel=LOSS)
    for index in range(2):
        tensors = load_file(weights.with_name(f"{weights.name}-{index}.safetensors"))
        for name, item in run.parameters.items():
            torch.testing.assert_close(tensors[name], item.detach(), rtol=0, atol=WEIGHT)


@needs_compiler
@pytest.mark.parametrize("zero", STAGES)
def test_a_layer(together: Path, tmp_path: Path, zero: int) -> None:
    """Clipping, weight decay, dropout, a short last step."""
    run = linear()
    mine = run_training(run, tmp_path)
    assert_alike(run, mine, together / f"linear-{zero}", together / f"linear-{zero}")


@needs_compiler
@pytest.mark.parametrize("zero", STAGES)
def test_alignment(together: Path, tmp_path: Path, tiny_base: Path, zero: int) -> None:
    """Stage 2 on the tiny base, whose frozen weights stage 3 divides as well."""
    run = align_run(tiny_base)
    mine = run_training(run, tmp_path)
    assert_alike(run, mine, together / f"align-{zero}", together / f"align-{zero}")


@needs_compiler
@pytest.mark.parametrize("zero", STAGES)
@pytest.mark.parametrize("name", ["from-plain", "to-plain"])
def test_checkpoints_are_the_same(together: Path, tmp_path: Path, zero: int, name: str) -> None:
    """A plain run goes on under ZeRO, and one under ZeRO goes on plain and alone."""
    mine = run_training(linear(), tmp_path)
    state = together / f"{name}-{zero}"
    if name == "to-plain":
        assert 0 < len(records(state)) < len(mine)
        assert list(state.glob("step-*"))
        run_training(linear(), state)
    for one, other in zip(mine, records(state), strict=True):
        assert other == pytest.approx(one, rel=LOSS)


def test_its_numbers_are_those_of_the_recipe() -> None:
    settings = OPTIMIZER.model_copy(update={"batch": 96, "micro_batch": 8, "max_grad_norm": 0.5})
    config = zero_config(settings, 2, ranks=3)
    assert config["train_batch_size"] == 96
    assert config["train_micro_batch_size_per_gpu"] == 8
    assert config["gradient_accumulation_steps"] == 4
    assert config["gradient_clipping"] == 0.5
    assert config["zero_optimization"] == {
        "stage": 2,
        "overlap_comm": True,
        "contiguous_gradients": True,
        "sub_group_size": 1e9,
        "reduce_bucket_size": 2e8,
    }
