"""One command on two ranks: its result, its stop, the death of one of them, the lock they share."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.verify import require_stage
from tests.command_line import Outcome
from tests.fault.rank_processes import Command, checkpoints
from tests.project_copy import copy_project, edit_yaml

pytestmark = pytest.mark.slow

# In the tiny project a step has two micro-batches: one a rank, so that nothing is rounded anew.
LONG = ("--set", f"overrides={json.dumps({'align.optimizer.epochs': 24})}")
ALIGN = ("align", "--name", "3d")
FOUR = ("--set", f"overrides={json.dumps({'sft.optimizer.micro_batch': 2})}")
SFT = ("sft", "--variant", "lynx", "--benchmark", "scanqa")
TWO = ("--ranks", "2")
ALIGNED = Path("runs/demo/align/3d/seed0")
TUNED = Path("runs/demo/sft/lynx/scanqa/seed0")


@pytest.fixture
def other(finished: Path, tmp_path: Path) -> Path:
    """Another copy, in which everything runs alone and undisturbed."""
    return copy_project(finished, tmp_path / "undisturbed")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_stopped_then_a_dead_rank_then_alone(
    root: Path, lynx: Callable[..., Outcome], other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two disturbed attempts on two ranks and one alone end with the bits of one undisturbed."""
    known = {path.name for path in (root / "work").iterdir()}

    def steps() -> list[int]:
        return checkpoints(root / "work", "align", known)

    first = Command.start(root, *ALIGN, *LONG, *TWO)
    first.wait_until(lambda: steps() != [])
    ranks = first.ranks()
    assert sorted(ranks) == [0, 1]
    os.kill(ranks[0], signal.SIGSTOP)
    refused = lynx(*ALIGN, *LONG)
    os.kill(ranks[0], signal.SIGCONT)
    assert refused.code == 2
    assert f"process {ranks[0]} on {socket.gethostname()} is writing this state" in refused.said
    first.process.send_signal(signal.SIGTERM)
    assert first.end() == 143
    saved = max(steps())
    assert f"align: asked to stop after {saved} of 144 steps, which are saved" in first.said
    assert not any(alive(pid) for pid in ranks.values())

    second = Command.start(root, *ALIGN, *LONG, *TWO)
    second.wait_until(lambda: max(steps()) > saved)
    ranks = second.ranks()
    os.kill(ranks[1], signal.SIGKILL)
    assert second.end() == 1
    assert f"align: going on from step {saved} of 144" in second.said
    assert second.said.strip().splitlines()[-1] == (
        f"lynx: rank 1 of 2 (process {ranks[1]}) ended with SIGKILL, so the others were stopped; "
        "look at the log, and run the same command again"
    )
    assert "Traceback" not in second.said
    assert not any(alive(pid) for pid in ranks.values())

    assert lynx(*ALIGN, *LONG).code == 0
    monkeypatch.chdir(other)
    assert lynx(*ALIGN, *LONG).code == 0
    for name in ("vision/adapter_model.safetensors", "training.jsonl"):
        assert hash_file(root / ALIGNED / name) == hash_file(other / ALIGNED / name), name


@pytest.mark.parametrize("zero", [None, 2, 3])
def test_tuning_on_two_ranks_is_tuning_on_one(
    root: Path,
    lynx: Callable[..., Outcome],
    other: Path,
    monkeypatch: pytest.MonkeyPatch,
    zero: int | None,
) -> None:
    """Four micro-batches a step, two a rank, short last steps; and a log of the attempt."""
    edit_yaml(root / "config/site.yaml", {"zero": zero})
    command = Command.start(root, "--log", "logs/sft.log", *SFT, *FOUR, *TWO)
    assert command.end() == 0, command.said
    monkeypatch.chdir(other)
    assert lynx(*SFT, *FOUR).code == 0
    found, wanted = (load_file(at / TUNED / WEIGHTS) for at in (root, other))
    for name, item in wanted.items():
        torch.testing.assert_close(found[name], item, rtol=0, atol=1e-6)
    records = [
        [json.loads(line) for line in (at / TUNED / "training.jsonl").read_text().splitlines()]
        for at in (root, other)
    ]
    assert len(records[0]) == len(records[1])
    for mine, theirs in zip(*records, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-5)
    assert require_stage(root / TUNED, "sft", deep=True).environment["device"] == (
        "2 x cpu, 1 threads"
    )
    assert [path.name for path in (root / "logs").glob("sft.*.log")] == ["sft.1.log"]


WEIGHTS = "language/adapter_model.safetensors"


def test_a_sentence_is_told_once(root: Path) -> None:
    """Both ranks meet the same wrong input; the command says it as ever."""
    command = Command.start(root, *SFT, "--ranks", "3")
    assert command.end() == 2
    assert command.said.strip().splitlines() == [
        "lynx: sft.optimizer.batch 8 is not a multiple of sft.optimizer.micro_batch 4 x 3 ranks; "
        "change one of them in the recipe, or the number of ranks (--ranks, gpus of the scale)"
    ]


def test_more_ranks_than_gpus(
    root: Path, lynx: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU machine each rank wants its own."""
    edit_yaml(root / "config/site.yaml", {"device": "auto"})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    outcome = lynx(*ALIGN, "--ranks", "4")
    assert (outcome.code, outcome.said) == (
        2,
        "lynx: --ranks 4: torch sees 2, expected a GPU for each rank; lower it, or ask the cluster "
        "for more",
    )
