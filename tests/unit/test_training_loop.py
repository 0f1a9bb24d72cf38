"""The loop: an interrupted run ends with the result of an undisturbed one, bit for bit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lynx.align.losses import Reference
from lynx.align.reference import ReferenceBuilder
from lynx.align.train import AlignObjective
from lynx.artifacts.sealed import open_line
from lynx.config.stages import AlignSettings, LoraSettings, OptimizerSettings
from lynx.modalities.depth import DepthDrawing
from lynx.model.adapters import adapter_parameters, add_adapter, set_trainable
from lynx.training.loop import Training, run_training
from lynx.training.plan import derived_seed, make_plan
from tests.tiny_model import CPU, open_base, random_pixels

OPTIMIZER = OptimizerSettings(
    learning_rate=5e-3,
    epochs=2,
    batch=4,
    micro_batch=2,
    warmup_ratio=0.03,
    weight_decay=0.0,
    max_grad_norm=1.0,
)
SETTINGS = AlignSettings(
    sources=("scanqa",),
    drawing=DepthDrawing(
        modality="depth", encoding="turbo+normals", clip_mm=(200, 4000), normals_frame="camera"
    ),
    steps_per_item=1,
    frame_chunk=4,
    query_stride=2,
    attention_weight=1.0,
    moment_weight=0.01,
    lora=LoraSettings(rank=4, alpha=8, dropout=0.05),
    optimizer=OPTIMIZER,
)


class StoppedError(Exception):
    """Stands for whatever ends a job."""


def pixels_of(items: list[int]) -> torch.Tensor:
    return torch.stack([random_pixels(2, 3, 42, 42, seed=item) for item in items])


def align_run(folder: Path) -> Training[int, torch.Tensor]:
    """Stage 2 on the tiny base with the recipe's dropout of 0.05: 10 items, 2 epochs, 6 steps."""
    base = open_base(folder, ["tower"])
    builder = ReferenceBuilder(base.info)
    builder.add(base, random_pixels(1, 4, 3, 42, 42, seed=99), frame_chunk=4)
    made = builder.tensors()
    reference = Reference(
        made["token_mean"], made["token_var"], made["vision_ref_k"], made["vision_ref_v"]
    )
    add_adapter(base, "vision", SETTINGS.lora, seed=1)
    set_trainable(base, "vision")
    return Training(
        objective=AlignObjective(base, reference, SETTINGS),
        parameters=adapter_parameters(base, "vision"),
        settings=OPTIMIZER,
        plan=make_plan(range(10), OPTIMIZER, per_item=1, seed=42),
        load=pixels_of,
        device=CPU,
        half=False,
        name="align",
    )


class Regression(nn.Module):
    """A linear layer behind dropout: cheap enough for many steps."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(6, 1)

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        error = self.layer(F.dropout(rows, 0.3, training=True)).squeeze(-1) - rows.sum(dim=-1)
        return error.square().mean(), {"worst": float(error.detach().abs().max())}


def rows_of(items: list[int]) -> torch.Tensor:
    return torch.stack([random_pixels(6, seed=item) for item in items])


def linear_run(items: int = 24, **changes: float) -> Training[int, torch.Tensor]:
    settings = OPTIMIZER.model_copy(update=changes)
    objective = Regression()
    return Training(
        objective=objective,
        parameters=dict(objective.named_parameters()),
        settings=settings,
        plan=make_plan(range(items), settings, per_item=1, seed=3),
        load=rows_of,
        device=CPU,
        half=False,
        name="linear",
    )


def stopping(run: Training[int, torch.Tensor], calls: int) -> Training[int, torch.Tensor]:
    """The same run, whose loading fails after some micro-batches."""
    count = 0

    def load(items: list[int]) -> torch.Tensor:
        nonlocal count
        count += 1
        if count > calls:
            raise StoppedError
        return run.load(items)

    return replace(run, load=load)


def result(run: Training[int, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: item.detach().clone() for name, item in run.parameters.items()}


def assert_resumes(make: Callable[[], Training[int, torch.Tensor]], calls: int, tmp: Path) -> None:
    """Interrupt after `calls` micro-batches, run again, compare with an undisturbed run."""
    for name in ("whole", "broken"):
        (tmp / name).mkdir()
    whole = make()
    records = run_training(whole, tmp / "whole")
    with pytest.raises(StoppedError):
        run_training(stopping(make(), calls), tmp / "broken")
    torch.manual_seed(calls)  # another process has another random state
    again = make()
    assert run_training(again, tmp / "broken") == records
    expected, found = result(whole), result(again)
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []
    assert (tmp / "broken" / "log.jsonl").read_bytes() == (tmp / "whole" / "log.jsonl").read_bytes()


@pytest.mark.parametrize("calls", [1, 5, 8])
def test_align_resumes(tiny_base: Path, tmp_path: Path, calls: int) -> None:
    """Stage 2 with LoRA dropout 0.05, interrupted in its first step and in both epochs."""
    assert_resumes(lambda: align_run(tiny_base), calls, tmp_path)


@pytest.mark.parametrize("calls", [3, 47, 118, 119])
def test_resumes_between_checkpoints(tmp_path: Path, calls: int) -> None:
    """60 steps with a checkpoint every 3: steps after the last one are taken again, alike."""
    assert_resumes(lambda: linear_run(epochs=10), calls, tmp_path)


def test_resumes_twice(tmp_path: Path) -> None:
    """An interrupted continuation goes on too, past a damaged newest checkpoint."""
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole = linear_run(epochs=10)
    records = run_training(whole, tmp_path / "whole")
    for calls in (40, 40):
        with pytest.raises(StoppedError):
            run_training(stopping(linear_run(epochs=10), calls), tmp_path / "broken")
    newest = max((tmp_path / "broken").glob("step-*"))
    (newest / "state.safetensors").write_bytes(b"cut")
    again = linear_run(epochs=10)
    assert run_training(again, tmp_path / "broken") == records
    assert all(torch.equal(item, result(again)[name]) for name, item in result(whole).items())


class Killed(nn.Module):
    """An objective that copies the state as the disk holds it, buffers unwritten, then stops."""

    def __init__(self, inner: nn.Module, calls: int, state: Path, copy: Path) -> None:
        super().__init__()
        self.inner = inner
        self.left, self.state, self.copy = calls, state, copy

    def forward(self, batch: torch.Tensor) -> object:
        self.left -= 1
        if self.left < 0:
            shutil.copytree(self.state, self.copy)
            raise StoppedError
        return self.inner(batch)


def test_killed_twice(tmp_path: Path) -> None:
    """After kills that flush nothing, the log too is that of an undisturbed run."""
    states = [tmp_path / name for name in ("whole", "first", "second", "third")]
    for state in states[:2]:
        state.mkdir()
    records = run_training(linear_run(epochs=10), states[0])
    for state, copy, calls in ((states[1], states[2], 40), (states[2], states[3], 3)):
        run = linear_run(epochs=10)
        killed = Killed(run.objective, calls, state, copy)
        with pytest.raises(StoppedError):
            run_training(replace(run, objective=killed), state)
    assert run_training(linear_run(epochs=10), states[3]) == records
    logs = [(state / "log.jsonl").read_bytes() for state in (states[0], states[3])]
    assert logs[0] == logs[1]


def test_a_finished_run_is_left_alone(tmp_path: Path) -> None:
    """Running again trains nothing, gives the same log and the trained weights."""
    first = linear_run()
    records = run_training(first, tmp_path)
    again = stopping(linear_run(), calls=0)
    assert run_training(again, tmp_path) == records
    assert all(torch.equal(item, result(again)[name]) for name, item in result(first).items())


def test_dropout_is_at_work(tmp_path: Path) -> None:
    """Or the comparisons above would prove nothing about random state."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    run = linear_run()
    other = linear_run()
    other = replace(other, plan=replace(other.plan, seed=4))
    losses = [
        [record["loss"] for record in run_training(each, tmp_path / name)]
        for name, each in (("one", run), ("two", other))
    ]
    assert losses[0] != losses[1]


def plain_training(run: Training[int, torch.Tensor]) -> list[float]:
    """The same training written out: accumulate with equal weight, clip, AdamW."""
    optimizer = torch.optim.AdamW(run.parameters.values(), lr=1.0, weight_decay=0.0)
    norms = []
    for step in range(run.plan.steps):
        parts = run.plan.micro_batches(step)
        optimizer.zero_grad()
        for index, part in enumerate(parts):
            own = ("part", index) if index else ()
            torch.manual_seed(derived_seed(run.plan.seed, "step", step, *own))
            (run.objective(run.load(part))[0] / len(parts)).backward()
        norms.append(
            float(nn.utils.clip_grad_norm_(run.parameters.values(), run.settings.max_grad_norm))
        )
        optimizer.param_groups[0]["lr"] = run.settings.learning_rate * run.plan.rate_factor(step)
        optimizer.step()
    return norms


def test_step_is_the_plain_one(tmp_path: Path) -> None:
    """Section 4.3: what a step does, and what its log line says."""
    run, plain = linear_run(items=22), linear_run(items=22)
    records = run_training(run, tmp_path)
    norms = plain_training(plain)
    for name, item in result(plain).items():
        torch.testing.assert_close(result(run)[name], item, atol=1e-7, rtol=0)
    assert [record["step"] for record in records] == list(range(1, 13))
    assert [record["grad_norm"] for record in records] == pytest.approx(norms)
    assert max(norms) > 1.0  # clipping is at work
    rates = [5e-3 * run.plan.rate_factor(step) for step in range(12)]
    assert [record["learning_rate"] for record in records] == pytest.approx(rates)
    assert set(records[0]) == {"step", "loss", "worst", "learning_rate", "grad_norm"}
    lines = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert [open_line(line) for line in lines] == records


def test_align_learns(tiny_base: Path, tmp_path: Path) -> None:
    """The loss falls, and nothing but the adapter changes."""
    run = align_run(tiny_base)
    frozen = {
        name: item.detach().clone()
        for name, item in run.objective.named_parameters()
        if not item.requires_grad
    }
    records = run_training(run, tmp_path)
    assert records[-1]["loss"] < records[0]["loss"]
    after = dict(run.objective.named_parameters())
    assert all(torch.equal(item, after[name]) for name, item in frozen.items())
