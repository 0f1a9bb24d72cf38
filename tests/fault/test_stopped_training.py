"""SIGTERM, as pre-emption and time limits send it: what was trained is saved, the next run goes on.

The signals are real ones to the process that trains.
"""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from lynx.artifacts.hashing import hash_file
from lynx.training.loop import Training, run_training
from tests.command_line import Outcome
from tests.fault.rank_processes import Command, checkpoints
from tests.unit.test_training_loop import align_run, linear_run

STEPS = 60
OVERRIDES = {"align.optimizer.epochs": 12}
ALIGN = ("align", "--name", "3d", "--set", f"overrides={json.dumps(OVERRIDES)}")
TARGET = Path("runs/demo/align/3d/seed0")
PREDICTED = {
    "evaluate.max_new_tokens": 12,
    "evaluate.min_new_tokens": 12,
    "evaluate.questions_per_batch": 1,
}
PREDICT = (
    *("predict", "--variant", "lynx", "--benchmark", "scanqa"),
    *("--set", f"overrides={json.dumps(PREDICTED)}"),
)
ANSWERS = Path("runs/demo/predictions/lynx/scanqa/seed0/predictions.jsonl")


class Signalled(nn.Module):
    """An objective whose process is sent a signal in the middle of a micro-batch."""

    def __init__(self, inner: nn.Module, call: int, number: signal.Signals) -> None:
        super().__init__()
        self.inner, self.left, self.number = inner, call, number

    def forward(self, batch: torch.Tensor) -> object:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)
        return self.inner(batch)


def signalled(
    run: Training[int, torch.Tensor], call: int, number: signal.Signals
) -> Training[int, torch.Tensor]:
    return replace(run, objective=Signalled(run.objective, call, number))


def terminated(run: Training[int, torch.Tensor], call: int) -> Training[int, torch.Tensor]:
    return signalled(run, call, signal.SIGTERM)


def result(run: Training[int, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: item.detach().clone() for name, item in run.parameters.items()}


def assert_goes_on(
    make: Callable[[], Training[int, torch.Tensor]], calls: list[int], folder: Path
) -> None:
    """Stop at these micro-batches of one attempt after the other; end as the undisturbed run."""
    for name in ("whole", "stopped"):
        (folder / name).mkdir()
    whole = make()
    records = run_training(whole, folder / "whole")
    for call in calls:
        with pytest.raises(SystemExit) as ended:
            run_training(terminated(make(), call), folder / "stopped")
        assert ended.value.code == 143
        torch.manual_seed(call)  # another process has another random state
    again = make()
    assert run_training(again, folder / "stopped") == records
    found = result(again)
    assert all(torch.equal(item, found[name]) for name, item in result(whole).items())
    logs = [(folder / name / "log.jsonl").read_bytes() for name in ("whole", "stopped")]
    assert logs[0] == logs[1]


@pytest.mark.parametrize("calls", [[1], [2], [3, 3], [17, 1, 30], [88], [119], [120]])
def test_stopped_and_gone_on_with(tmp_path: Path, calls: list[int]) -> None:
    """60 steps of two micro-batches, with a checkpoint every 3."""
    assert_goes_on(lambda: linear_run(epochs=10), calls, tmp_path)


def test_alignment_is_stopped_and_gone_on_with(tiny_base: Path, tmp_path: Path) -> None:
    """Stage 2 on the tiny base, with dropout."""
    assert_goes_on(lambda: align_run(tiny_base), [4, 5], tmp_path)


def test_the_finished_steps_are_saved(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not only those of the last regular checkpoint; the step that was running is given up."""
    with caplog.at_level(logging.WARNING), pytest.raises(SystemExit):
        run_training(terminated(linear_run(epochs=10), call=23), tmp_path)
    assert max(path.name for path in tmp_path.glob("step-*")) == "step-00000011"
    assert len((tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()) == 11
    assert caplog.messages == [
        f"linear: asked to stop after 11 of {STEPS} steps, which are saved; the same command goes "
        "on from there"
    ]


def test_a_stop_in_the_first_step_saves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run_training(terminated(linear_run(), call=1), tmp_path)
    assert list(tmp_path.glob("step-*")) == []


def test_the_handler_is_given_back(tmp_path: Path) -> None:
    """After training SIGTERM ends the process as it did before."""
    before = signal.getsignal(signal.SIGTERM)
    run_training(linear_run(), tmp_path)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.slow
def test_a_stopped_command(
    root: Path, lynx: Callable[..., Outcome], undisturbed: Callable[..., Path]
) -> None:
    known = {path.name for path in (root / "work").iterdir()}
    command = Command.start(root, *ALIGN)
    command.wait_until(lambda: checkpoints(root / "work", "align", known) != [])
    command.process.send_signal(signal.SIGTERM)
    assert command.end() == 143
    (saved,) = checkpoints(root / "work", "align", known)[-1:]
    said = f"align: asked to stop after {saved} of 72 steps, which are saved"
    assert said in command.said
    assert lynx(*ALIGN).code == 0
    other = undisturbed(*ALIGN)
    for name in ("vision/adapter_model.safetensors", "training.jsonl"):
        assert hash_file(root / TARGET / name) == hash_file(other / TARGET / name), name


@pytest.mark.slow
def test_stopped_answers(
    root: Path, lynx: Callable[..., Outcome], undisturbed: Callable[..., Path]
) -> None:
    """Prediction keeps each batch as it comes, so SIGTERM costs it the running one."""
    known = {path.name for path in (root / "work").iterdir()}

    def kept() -> list[str]:
        files = [
            path / "answers.jsonl"
            for path in (root / "work").glob("predict-*")
            if path.name not in known
        ]
        return [line for file in files if file.is_file() for line in file.read_text().splitlines()]

    command = Command.start(root, *PREDICT)
    command.wait_until(lambda: len(kept()) >= 2)
    command.process.send_signal(signal.SIGTERM)
    assert command.end() == -signal.SIGTERM
    before = kept()
    assert lynx(*PREDICT).code == 0
    assert kept()[: len(before) - 1] == before[:-1]  # the last line may have been cut
    assert hash_file(root / ANSWERS) == hash_file(undisturbed(*PREDICT) / ANSWERS)
