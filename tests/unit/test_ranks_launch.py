"""The launcher: it waits for its ranks, hands their sentence on, and ends all when one dies.

The ranks here run commands that import no torch, so that they start at once.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lynx.errors import InputError
from lynx.ranks.launch import TORCH_SIGNALS, launch
from tests.project_copy import copy_tree, edit_yaml

WORLD = {"seed": 7, "train_scenes": 900, "val_scenes": 0, "test_scenes": 0, "frames_per_scene": 40}


def children() -> dict[int, int]:
    """Processes of the ranks that this process has started, by rank."""
    found = {}
    pid = os.getpid()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            for entry in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                if entry.startswith(b"RANK="):
                    found[int(entry.removeprefix(b"RANK="))] = int(child)
    return found


def later(act: Callable[[dict[int, int]], None], count: int = 2) -> threading.Thread:
    """Call `act(ranks)` from another thread once so many ranks are there."""

    def wait() -> None:
        deadline = time.monotonic() + 60
        while len(ranks := children()) < count and time.monotonic() < deadline:
            time.sleep(0.001)
        act(ranks)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.fixture
def busy(tmp_path: Path) -> list[str]:
    """A command that would take minutes, in a project of its own."""
    root = copy_tree(tmp_path / "project")
    edit_yaml(root / "config/scales/demo.yaml", {"worlds": {"rooms": WORLD}})
    edit_yaml(root / "config/config.yaml", {"benchmarks": ["scanqa"]})
    edit_yaml(root / "config/site.yaml", {"workers": 1})
    return ["world", "--name", "rooms", "--root", str(root)]


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_all_end_well(capfd: pytest.CaptureFixture[str]) -> None:
    launch(2, ["--help"])
    assert capfd.readouterr().out.count("LynX: a new sense") == 2


def test_a_sentence_is_raised_once(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Neither rank prints it."""
    root = copy_tree(tmp_path / "project")
    with pytest.raises(InputError) as caught:
        launch(2, ["data", "--benchmark", "nosuch", "--root", str(root)])
    assert "nosuch" in str(caught.value)
    assert "nosuch" not in "".join(capfd.readouterr())


def test_a_dead_rank_ends_the_others(busy: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """The sentence names the one that was killed, not the one that was stopped for it."""
    seen: dict[int, int] = {}

    def kill(ranks: dict[int, int]) -> None:
        seen.update(ranks)
        os.kill(ranks[1], signal.SIGKILL)

    thread = later(kill)
    with pytest.raises(SystemExit) as ended:
        launch(2, busy)
    thread.join()
    assert ended.value.code == 1
    assert capfd.readouterr().err.strip().splitlines()[-1] == (
        f"lynx: rank 1 of 2 (process {seen[1]}) ended with SIGKILL, so the others were stopped; "
        "look at the log, and run the same command again"
    )
    assert all(gone(pid) for pid in seen.values())


@pytest.mark.parametrize("started", [1, 2])
def test_sigterm_is_handed_on(busy: list[str], started: int) -> None:
    """As a cluster sends it to the command, also while ranks are started; none is left behind, and
    the old handlers are back."""
    before = signal.getsignal(signal.SIGTERM)
    seen: dict[int, int] = {}

    def terminate(ranks: dict[int, int]) -> None:
        seen.update(ranks)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = later(terminate, started)
    with pytest.raises(SystemExit) as ended:
        launch(2, busy)
    thread.join()
    assert ended.value.code == 143
    assert len(seen) >= started
    assert children() == {}
    assert signal.getsignal(signal.SIGTERM) == before
    assert TORCH_SIGNALS not in os.environ
