"""`work/<stage>-<name>`: one writer, who is named; a killed one's state goes on."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lynx.artifacts.owner import Owner
from lynx.artifacts.state import LOCK_NAME, exclusive_state
from lynx.errors import InputError
from lynx.project import StageRun
from tests.fake_programs import answering, use
from tests.project_copy import environment, load
from tests.unit.scores import bare_project

HOST = socket.gethostname()
IDENTITY = "0123456789abcdef" * 4
HOLDER = """
import sys
from pathlib import Path
from lynx.artifacts.state import exclusive_state
with exclusive_state(Path("work"), "sft", sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    return tmp_path


def refused() -> str:
    with (
        pytest.raises(InputError) as caught,
        exclusive_state(Path("work"), "sft", IDENTITY),
    ):
        pytest.fail("two writers")
    return str(caught.value)


def signed(owner: Owner) -> None:
    folder = Path("work/sft-0123456789abcdef")
    folder.mkdir(parents=True)
    (folder / LOCK_NAME).write_text(owner.dump(), encoding="utf-8")


def hold(**variables: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, IDENTITY],
        env=environment() | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_writer_is_told_who_the_first_is() -> None:
    process = hold(SLURM_JOB_ID="55")
    try:
        sentence = refused()
    finally:
        process.communicate()
    assert sentence == (
        f"work/sft-0123456789abcdef: process {process.pid} on {HOST} (Slurm job 55) is writing "
        "this state; wait for it or stop it (`scancel 55`), then run the same command again"
    )


def test_a_killed_writer_is_named_and_its_state_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    process = hold()
    process.kill()
    process.communicate()
    with (
        caplog.at_level(logging.WARNING),
        exclusive_state(Path("work"), "sft", IDENTITY) as folder,
    ):
        owner = Owner.parse((folder / LOCK_NAME).read_text(encoding="utf-8"))
        assert owner == Owner(HOST, os.getpid(), None)
    assert caplog.messages == [
        f"work/sft-0123456789abcdef: goes on from process {process.pid} on {HOST}, which was killed"
    ]


def test_a_writer_that_ends_leaves_no_name(caplog: pytest.LogCaptureFixture) -> None:
    with (
        pytest.raises(RuntimeError),
        exclusive_state(Path("work"), "sft", IDENTITY),
    ):
        raise RuntimeError
    with exclusive_state(Path("work"), "sft", IDENTITY):
        pass
    assert caplog.messages == []


def test_a_running_job_of_another_node_counts_though_its_lock_does_not_show(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, project / "bin")
    answering(project / "bin", "squeue", "RUNNING")
    signed(Owner("node7", 4, "55"))
    assert refused() == (
        "work/sft-0123456789abcdef: process 4 on node7 (Slurm job 55) is writing this state; wait "
        "for it or stop it (`scancel 55`), then run the same command again"
    )


@pytest.mark.parametrize(
    ("answer", "own_job"), [("COMPLETED", None), ("", "56"), ("RUNNING", "55")]
)
def test_a_job_that_ended_or_was_queued_again_is_none(
    project: Path, monkeypatch: pytest.MonkeyPatch, answer: str, own_job: str | None
) -> None:
    use(monkeypatch, project / "bin")
    answering(project / "bin", "squeue", answer)
    if own_job:
        monkeypatch.setenv("SLURM_JOB_ID", own_job)
    signed(Owner("node7", 4, "55"))
    with exclusive_state(Path("work"), "sft", IDENTITY) as folder:
        assert folder.is_dir()


def test_a_file_system_without_locks_is_no_second_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert refused() == (
        "work/sft-0123456789abcdef/lock: this file system has no file locks (No locks available), "
        "expected one where two writers can be kept apart; mount it with locks (Lustre: `-o "
        "flock`) or make `work` a link to a folder on another one"
    )


def test_variants_that_come_to_the_same_are_made_at_once(tmp_path: Path) -> None:
    project = load(bare_project(tmp_path / "project"))
    folder = project.layout.runs / "sft"
    lynx, alike = (StageRun(project, "sft", folder / name, {}, (), 0) for name in ("lynx", "alike"))
    assert lynx.identity == alike.identity
    with lynx.state() as one, alike.state() as other:
        assert one != other
    with pytest.raises(InputError, match="is writing this state"), lynx.state(), lynx.state():
        pass
