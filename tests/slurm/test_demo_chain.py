"""The demo's chain through a real Slurm: a job cancelled in the middle, a controller killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.owner import Owner
from lynx.artifacts.verify import verify_files
from tests.project_copy import OVERRIDES, edit_yaml, environment, run_chain, tiny_project
from tests.slurm.cluster import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.slurm]
# Many short steps, so that there is time between the first checkpoint and the end.
STEPS = {"align.optimizer.epochs": 12, "sft.optimizer.epochs": 8}
CONTROL = "results/demo/video-only/scanqa/seed0/metrics.json"
HEADLINE = "results/scanqa/metrics.json"
RESULTS = (
    "align/3d/seed0/vision/adapter_model.safetensors",
    "align/3d/seed0/training.jsonl",
    "sft/{variant}/scanqa/seed0/language/adapter_model.safetensors",
    "sft/{variant}/scanqa/seed0/training.jsonl",
    "predictions/{variant}/scanqa/seed0/predictions.jsonl",
)
# A real cluster is asked after 40 seconds, and its file system may lag by a minute.
SOON = ("--slurm-init-seconds-before-status-checks", "6", "--latency-wait", "5")


def project(root: Path) -> Path:
    tiny_project(root)
    changes = {"overrides": {**OVERRIDES, **STEPS}, "compare_with": []}
    edit_yaml(root / "config/config.yaml", changes)
    edit_yaml(root / "config/site.yaml", {"slurm": {"partition": "main", "gpu_model": "a6000"}})
    return root


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both variants on this machine, without Snakemake."""
    root = project(tmp_path_factory.mktemp("local") / "project")
    run_chain(root, ("lynx", "video-only"))
    return root


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Path:
    """The same project, of which nothing has been run."""
    return project(tmp_path_factory.mktemp("cluster") / "with space")


@contextmanager
def controller(root: Path, cluster: Cluster, target: str) -> Iterator[subprocess.Popen[str]]:
    """`snakemake --profile slurm <target>`, ended if the test leaves it."""
    variables = environment()
    variables["PATH"] = f"{cluster.clients}{os.pathsep}{variables['PATH']}"
    command = [sys.executable, "-m", "snakemake", "--profile", "slurm", *SOON, "--", target]
    process = subprocess.Popen(
        command,
        cwd=root,
        env=variables,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(root: Path, cluster: Cluster, target: str) -> tuple[int, str]:
    """Exit code and output of a run that is left alone."""
    with controller(root, cluster, target) as process:
        said, _ = process.communicate(timeout=400)
    return process.returncode, said


def training(root: Path, stage: str, process: subprocess.Popen[str]) -> Owner:
    """The trainer of a stage, held still after its first checkpoint."""

    def found() -> Owner | None:
        for folder in (root / "work").glob(f"{stage}-*"):
            owner = Owner.parse((folder / "lock").read_text(encoding="utf-8"))
            if owner is not None and any(folder.glob("step-*")):
                return owner
        return None

    owner = wait_for(found, process)
    os.kill(owner.pid, signal.SIGSTOP)
    return owner


def wait_for(found: Callable[[], Owner | None], process: subprocess.Popen[str]) -> Owner:
    deadline = time.monotonic() + 300
    while (owner := found()) is None:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return owner


def equal(one: Path, other: Path, variant: str) -> None:
    for pattern in RESULTS:
        name = Path("runs/demo", pattern.format(variant=variant))
        assert hash_file(one / name) == hash_file(other / name), name


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_cancelled_job_goes_on_and_ends_as_if_undisturbed(
    sent: Path, cluster: Cluster, undisturbed: Path
) -> None:
    with controller(sent, cluster, HEADLINE) as process:
        owner = training(sent, "align", process)
        assert (owner.host, owner.slurm_job is None) == (socket.gethostname(), False)
        cluster.run("scancel", str(owner.slurm_job))
        said, _ = process.communicate(timeout=400)
    assert process.returncode == 0, said
    assert f"SLURM-job '{owner.slurm_job}' failed, SLURM status is: 'CANCELLED'" in said
    assert "log: logs/demo/align-3d-seed0.log" in said
    logs = sorted(path.name for path in (sent / "logs/demo").glob("align-*"))
    assert logs == [f"align-3d-seed0.{end}" for end in ("1.log", "2.log", "log")]
    assert not (sent / "logs/demo/sft-lynx-scanqa-seed0.2.log").exists()
    equal(sent, undisturbed, "lynx")
    for manifest in (sent / "runs").rglob("manifest.json"):
        verify_files(manifest.parent, deep=True)
    report = read(sent / HEADLINE)
    assert (report["variant"], report["missing"]) == ("lynx", 0)
    code, said = finish(sent, cluster, HEADLINE)
    assert code == 0
    assert "Nothing to be done" in said


def test_a_killed_controller_leaves_one_writer(
    sent: Path, cluster: Cluster, undisturbed: Path
) -> None:
    with controller(sent, cluster, CONTROL) as process:
        owner = training(sent, "sft", process)
        process.kill()
    killed = f"process {process.pid} on {socket.gethostname()} ran this workflow and was killed"
    code, said = finish(sent, cluster, CONTROL)
    job = f"Slurm job {owner.slurm_job} (rule_sft_wildcards_demo_video-only_scanqa_0, RUNNING)"
    assert code == 1
    assert (
        f"work/controllers: {killed}, but what it started still runs: {job}; wait for it or end it "
        f"(`scancel {owner.slurm_job}`), then run the same command again"
    ) in said.splitlines()
    cluster.run("scancel", str(owner.slurm_job))
    while cluster.queue():
        time.sleep(0.2)
    code, said = finish(sent, cluster, CONTROL)
    assert code == 0, said
    assert f"lynx: {killed}; its locks are removed, nothing of it runs" in said.splitlines()
    equal(sent, undisturbed, "video-only")
