"""SIGKILL of training at each change of the disk and in random steps; the next run ends as the
undisturbed one."""

from __future__ import annotations

import random
import signal
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load

from lynx.training.loop import Training, run_training
from tests.fault.disk_faults import kill, struck
from tests.fault.test_stopped_training import result, signalled
from tests.unit.test_training_loop import linear_run

FIRST, LAST = 1, 400
NEVER = 10**9


def short_run() -> Training[int, torch.Tensor]:
    """Four steps, each with a checkpoint, so that old ones are removed too."""
    return linear_run(items=8, epochs=2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, float]], bytes]:
    """The undisturbed run's records and weights."""
    run = short_run()
    records = run_training(run, tmp_path_factory.mktemp("whole"))
    return records, weights(run)


def weights(run: Training[int, torch.Tensor]) -> bytes:
    return b"".join(item.detach().numpy().tobytes() for item in run.parameters.values())


def test_killed_at_each_change(tmp_path: Path, whole: tuple[list[dict[str, float]], bytes]) -> None:
    """Every write, flush, rename and removal of a run with four checkpoints."""
    reached, cut = set(), set()
    for at in range(FIRST, LAST):
        state = tmp_path / f"at-{at}"
        state.mkdir()
        ended = struck(partial(go, state), state, at, kill)
        if ended == "done":
            break
        assert ended == "killed"
        reached.add(tuple(sorted(path.name for path in state.iterdir())))
        cut |= {path.name for path in state.rglob("*") if path.is_file() and is_cut(path)}
        run = short_run()
        assert run_training(run, state) == whole[0]
        assert weights(run) == whole[1]
    else:
        raise AssertionError(f"more than {LAST} changes")
    names = {name for found in reached for name in found}
    assert {"step-00000001", "step-00000004", ".step-00000002.draft", "log.jsonl"} <= names
    assert len(reached) >= 8, "the kills met different states"
    assert cut == {".written-by-safetensors", "meta.json", "log.jsonl"}, "half-written"


def is_cut(path: Path) -> bool:
    """Whether a file ends within a line, an object or its tensors; an empty one was only opened."""
    data = path.read_bytes()
    if path.name == "log.jsonl":
        return bool(data) and not data.endswith(b"\n")
    if path.name == "meta.json":
        return bool(data) and not data.endswith(b"}")
    try:
        return bool(data) and not load(data)
    except SafetensorError:
        return True


def test_killed_twice(tmp_path: Path, whole: tuple[list[dict[str, float]], bytes]) -> None:
    """A run that goes on from a killed one may be killed as well, anywhere."""
    for first, second in ((9, 3), (20, 14), (31, 7), (40, 5)):
        state = tmp_path / f"{first}-{second}"
        state.mkdir()
        for at in (first, second):
            assert struck(partial(go, state), state, at, kill) == "killed"
        run = short_run()
        assert run_training(run, state) == whole[0]
        assert weights(run) == whole[1]


def go(state: Path) -> None:
    run_training(short_run(), state)


def long_run() -> Training[int, torch.Tensor]:
    """60 steps of two micro-batches, a checkpoint every 3."""
    return linear_run(epochs=10)


@pytest.mark.parametrize("seed", range(6))
def test_killed_in_random_steps(tmp_path: Path, seed: int) -> None:
    """In the middle of a micro-batch, attempt after attempt, each time at another one."""
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    undisturbed = long_run()
    records = run_training(undisturbed, tmp_path / "whole")
    kills = random.Random(seed)
    for call in (kills.randint(1, 60) for _ in range(3)):
        attempt = partial(go_until, call, tmp_path / "killed")
        assert struck(attempt, tmp_path / "killed", NEVER, kill) in ("killed", "done")
    run = long_run()
    assert run_training(run, tmp_path / "killed") == records
    found = result(run)
    assert all(torch.equal(item, found[name]) for name, item in result(undisturbed).items())
    logs = [(tmp_path / name / "log.jsonl").read_bytes() for name in ("whole", "killed")]
    assert logs[0] == logs[1]


def go_until(call: int, state: Path) -> None:
    run_training(signalled(long_run(), call, signal.SIGKILL), state)
