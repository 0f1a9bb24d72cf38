"""Snakemake killed, started twice, or met by faults that pass; the results are the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lynx.artifacts.hashing import hash_file
from tests.project_copy import environment

HOST = socket.gethostname()
ALIGN = Path("runs/demo/align/3d/seed0")
TABLE = Path("runs/demo/data/scanqa")
EPOCHS = {"align.optimizer.epochs": 12}
LONG = ("--config", f"overrides={EPOCHS}".replace("'", ""))
# Twice it is started where there is no project, then where it should be.
TWICE = """#!/bin/sh
echo >> {count}
[ "$(wc -l < {count})" -gt 2 ] || set -- "$@" --root nowhere
exec {python} -m lynx.cli "$@"
"""


def snakemake(root: Path, target: Path, *options: str) -> subprocess.Popen[str]:
    manifest = str(target / "manifest.json")
    command = [sys.executable, "-m", "snakemake", "--profile", "local", *options, "--", manifest]
    return subprocess.Popen(
        command,
        cwd=root,
        env=environment() | ({"PATH": f"{root}/bin:{environment()['PATH']}"}),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    said, _ = process.communicate(timeout=200)
    return process.returncode, said.splitlines()


def trainer(root: Path, process: subprocess.Popen[str]) -> psutil.Process:
    """The `lynx align` below Snakemake, held still after its first checkpoint."""
    known = {path.name for path in (root / "work").glob("align-*")}
    deadline = time.monotonic() + 120
    while not any(
        folder.name not in known and any(folder.glob("step-*"))
        for folder in (root / "work").glob("align-*")
    ):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.002)
    children = psutil.Process(process.pid).children(recursive=True)
    (found,) = [child for child in children if "--log" in child.cmdline()]
    found.send_signal(signal.SIGSTOP)
    return found


@pytest.mark.slow
def test_of_two_controllers_and_after_a_kill_there_is_one_writer(
    root: Path, undisturbed: Callable[..., Path]
) -> None:
    shutil.rmtree(root / ALIGN)
    first = snakemake(root, ALIGN, *LONG)
    orphan = trainer(root, first)
    try:
        code, said = finish(snakemake(root, ALIGN, *LONG))
        assert code == 1
        assert f"lynx: process {first.pid} on {HOST} runs this workflow too" in said
        assert "LockException:" in said
        first.kill()
        first.wait()
        killed = f"process {first.pid} on {HOST} ran this workflow and was killed"
        code, said = finish(snakemake(root, ALIGN, *LONG))
        assert code == 1
        assert (
            f"work/controllers: {killed}, but what it started still runs: process {orphan.pid} "
            f"(lynx align --name 3d); wait for it or end it (`kill {orphan.pid}`), then run the "
            "same command again"
        ) in said
    finally:
        orphan.kill()
    psutil.wait_procs([orphan], timeout=20)
    code, said = finish(snakemake(root, ALIGN, *LONG))
    assert code == 0, "\n".join(said)
    assert f"lynx: {killed}; its locks are removed, nothing of it runs" in said
    log = (root / "logs/demo/align-3d-seed0.2.log").read_text(encoding="utf-8")
    assert f"goes on from process {orphan.pid} on {HOST}, which was killed" in log
    other = undisturbed("align", "--name", "3d", "--set", f"overrides={json.dumps(EPOCHS)}")
    for name in ("vision/adapter_model.safetensors", "training.jsonl"):
        assert hash_file(root / ALIGN / name) == hash_file(other / ALIGN / name), name


@pytest.mark.slow
def test_a_fault_that_passes_after_two_attempts(root: Path) -> None:
    before = {path.name: hash_file(path) for path in (root / TABLE).glob("*.jsonl")}
    assert before
    shutil.rmtree(root / TABLE)
    (root / "bin").mkdir()
    (root / "bin/lynx").write_text(
        TWICE.format(count=f"'{root}/count'", python=f"'{sys.executable}'"), encoding="utf-8"
    )
    os.chmod(root / "bin/lynx", 0o755)
    code, said = finish(snakemake(root, TABLE, "--retries", "2"))
    assert code == 0, "\n".join(said)
    sentence = (
        "lynx: nowhere: found no folder config in it, expected the project's folder; start in it, "
        "or name it with --root"
    )
    for attempt in (1, 2):
        log = root / f"logs/demo/data-scanqa.{attempt}.log"
        named = f"lynx: the log of this attempt is {log.relative_to(root)}"
        assert log.read_text(encoding="utf-8").splitlines()[-2:] == [named, sentence]
        assert named in said, "Snakemake shows it where the attempt failed"
    assert (root / "logs/demo/data-scanqa.log").readlink() == Path("data-scanqa.3.log")
    assert {path.name: hash_file(path) for path in (root / TABLE).glob("*.jsonl")} == before
