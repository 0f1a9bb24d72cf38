"""What a Snakemake that was killed has left behind, seen by the next one."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lynx.artifacts.owner import Owner
from lynx.controller import FOLDER, SNAKEMAKE_LOCKS, TO_SLURM, sign, take_over
from lynx.errors import InputError
from tests.fake_programs import answering, use
from tests.project_copy import environment

HOST = socket.gethostname()
LOCK = SNAKEMAKE_LOCKS / "0.output.lock"
SIGN = """
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from lynx.controller import sign
sign(Path(), to_slurm=False)
print("signed", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a Snakemake lock, where Slurm has no job."""
    root = tmp_path / "with space"
    (root / LOCK).parent.mkdir(parents=True)
    (root / LOCK).touch()
    (root / FOLDER).mkdir(parents=True)
    monkeypatch.chdir(root)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    answering(tmp_path / "bin", "squeue", "")
    use(monkeypatch, tmp_path / "bin")
    return root


def signed(root: Path, owner: Owner, ending: str = "") -> Path:
    path = root / FOLDER / f"{owner.host}-{owner.pid}{ending}"
    path.write_text(owner.dump(), encoding="utf-8")
    return path


def refused(root: Path) -> str:
    with pytest.raises(InputError) as caught:
        take_over(root)
    return str(caught.value)


def test_without_a_controller_nothing_is_touched(project: Path) -> None:
    assert take_over(project) is None
    assert (project / LOCK).exists()


def test_a_living_controller_is_named_and_a_killed_one_makes_way(project: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SIGN],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "signed\n"
        assert take_over(project) == f"process {process.pid} on {HOST} runs this workflow too"
        assert (project / LOCK).exists()
    finally:
        process.kill()
        process.communicate()
    assert take_over(project) == (
        f"process {process.pid} on {HOST} ran this workflow and was killed; its locks are removed, "
        "nothing of it runs"
    )
    assert not (project / LOCK).exists()
    assert take_over(project) is None


def test_a_controller_that_ends_leaves_no_name(project: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", SIGN],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert list((project / FOLDER).iterdir()) == []


def test_jobs_of_a_killed_controller_keep_the_next_one_out(project: Path, tmp_path: Path) -> None:
    path = signed(project, Owner(HOST, 4, None), TO_SLURM)
    jobs = f"12|RUNNING|rule_align_wildcards_demo_3d_0|{project}\n13|RUNNING|rule_x|/elsewhere"
    answering(tmp_path / "bin", "squeue", jobs)
    assert refused(project) == (
        f"{project / FOLDER}: process 4 on {HOST} ran this workflow and was killed, but what it "
        "started still runs: Slurm job 12 (rule_align_wildcards_demo_3d_0, RUNNING); wait for it "
        "or end it (`scancel 12`), then run the same command again"
    )
    assert (project / LOCK).exists()
    assert path.exists()


@contextmanager
def running(project: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like a rule's, of Slurm job 12."""
    (project / "lynx").write_text("import sys\nsys.stdin.read()\n", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "lynx", "--log", "logs/a.log", "align", "--name", "3d", "--config", "x"],
        stdin=subprocess.PIPE,
        env=environment() | {"SLURM_JOB_ID": "12"},
    )
    try:
        yield process
    finally:
        process.communicate()


def test_processes_of_a_killed_controller_keep_the_next_one_out(project: Path) -> None:
    signed(project, Owner(HOST, 4, None))
    with running(project) as process:
        sentence = refused(project)
    assert sentence == (
        f"{project / FOLDER}: process 4 on {HOST} ran this workflow and was killed, but what it "
        f"started still runs: process {process.pid} (lynx align --name 3d); wait for it or end it "
        f"(`kill {process.pid}`), then run the same command again"
    )


def test_a_process_of_a_named_job_is_not_named_again(project: Path, tmp_path: Path) -> None:
    signed(project, Owner(HOST, 4, None), TO_SLURM)
    answering(tmp_path / "bin", "squeue", f"12|RUNNING|rule_align|{project}")
    with running(project):
        sentence = refused(project)
    assert "still runs: Slurm job 12 (rule_align, RUNNING); wait for it" in sentence


def test_when_slurm_does_not_answer_nobody_knows(project: Path, tmp_path: Path) -> None:
    signed(project, Owner(HOST, 4, None), TO_SLURM)
    answering(tmp_path / "bin", "squeue", "slurm_load_jobs error: Unable to contact", code=1)
    assert refused(project) == (
        "squeue: gives no answer (slurm_load_jobs error: Unable to contact), expected the list of "
        "jobs, of which some may still write here; run the same command again when Slurm answers"
    )


def test_slurm_is_not_asked_about_one_that_sent_nothing_there(
    project: Path, tmp_path: Path
) -> None:
    """Its programs may be installed where there is no cluster."""
    signed(project, Owner(HOST, 4, None))
    answering(tmp_path / "bin", "squeue", "failed to fetch config", code=1)
    assert take_over(project) is not None
    assert not (project / LOCK).exists()


def test_a_controller_of_another_host_may_be_alive(project: Path) -> None:
    path = signed(project, Owner("login2", 4, None))
    assert refused(project) == (
        f"{path}: process 4 on login2 ran this workflow and has not said that it ended, which "
        "cannot be seen from here; run the command on login2, or delete this file if that process "
        "is gone"
    )
    path.unlink()
    assert take_over(project) is None


def test_one_of_another_host_that_let_go_of_its_locks_has_ended(project: Path) -> None:
    path = signed(project, Owner("login2", 4, None))
    (project / LOCK).unlink()
    assert take_over(project) is None
    assert not path.exists()


def test_signing_keeps_the_name_while_this_process_lives(project: Path) -> None:
    sign(project, to_slurm=True)
    assert len(list((project / FOLDER).glob("*.slurm"))) == 1
    own = Owner.here()
    assert take_over(project) == f"{own} runs this workflow too"
