"""The demo's chain through a real Slurm: a job is cancelled in the middle, then the controller
killed and the next job's time runs out, and the score is made; a node is lost with its job."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from lynx.align.stage import run_align, run_reference
from lynx.artifacts.manifest import read_manifest
from lynx.artifacts.owner import Owner
from lynx.artifacts.verify import verify_files
from lynx.config.slurm import GRACE
from tests.project_copy import (
    OVERRIDES,
    edit_yaml,
    environment,
    prepare,
    run_chain,
    tiny_project,
)
from tests.slurm.cluster import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.slurm, pytest.mark.timeout(1800)]
PATIENCE = 900  # seconds; a busy machine takes ten times as long as an idle one
# Many short steps, so that there is time between the first checkpoint and the end.
STEPS = {"align.optimizer.epochs": 12}
FOLDER = Path("runs/demo/align/3d/seed0")
ALIGNMENT, SCORE = str(FOLDER / "manifest.json"), "results/scanqa/metrics.json"
HOST = socket.gethostname()
# A real cluster is asked after 40 seconds, and its file system may lag by a minute.
SOON = ("--slurm-init-seconds-before-status-checks", "6", "--latency-wait", "5")


def project(root: Path) -> Path:
    tiny_project(root)
    main = {"overrides": {**OVERRIDES, **STEPS}, "compare_with": []}
    edit_yaml(root / "config/config.yaml", main)
    # A GPU is asked for, which the cluster only pretends to have: what runs computes on the CPU.
    edit_yaml(root / "config/scales/demo.yaml", {"gpus": 1})
    edit_yaml(root / "config/site.yaml", {"slurm": {"partition": "main", "gpu_model": "a6000"}})
    return root


@contextmanager
def controller(
    root: Path, cluster: Cluster, target: str = ALIGNMENT
) -> Iterator[subprocess.Popen[str]]:
    """`snakemake --profile slurm <target>`, ended if the test leaves it."""
    variables = environment()
    variables["PATH"] = f"{cluster.clients}{os.pathsep}{variables['PATH']}"
    # The profile and the target as they are typed; `--` would only guard options with lists.
    command = [sys.executable, "-m", "snakemake", "--profile", "slurm", target, *SOON]
    with (root / "said.txt").open("w") as said:
        process = subprocess.Popen(
            command, cwd=root, env=variables, stdout=said, stderr=subprocess.STDOUT, text=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def said(root: Path) -> str:
    return (root / "said.txt").read_text(encoding="utf-8")


def finish(root: Path, cluster: Cluster, target: str = ALIGNMENT) -> int:
    """The exit code of a run that is left alone."""
    with controller(root, cluster, target) as process:
        return process.wait(timeout=PATIENCE)


def trainer(root: Path, process: subprocess.Popen[str], steps: int, not_job: str = "") -> Owner:
    """Who trains, held still once it has got that far; another job than `not_job`."""
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, said(root)
        assert time.monotonic() < deadline, said(root)
        for lock in (root / "work").glob("align-*/lock"):
            owner = Owner.parse(lock.read_text(encoding="utf-8"))
            last = max(saved(lock.parent), default=0)
            if owner is not None and owner.slurm_job != not_job and last >= steps:
                os.kill(owner.pid, signal.SIGSTOP)
                return owner
        time.sleep(0.002)


def saved(state: Path) -> list[int]:
    """The steps whose checkpoints lie there."""
    return [int(path.name.split("-")[1]) for path in state.glob("step-*")]


def stop_of(root: Path, attempt: int) -> int:
    """The step at which an attempt was asked to stop, which must be saved."""
    log, words = root / f"logs/demo/align-3d-seed0.{attempt}.log", "align: asked to stop after "
    deadline = time.monotonic() + PATIENCE
    while words not in (text := log.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline, text
        time.sleep(0.2)
    step = int(text.split(words)[1].split()[0])
    (state,) = (root / "work").glob("align-*")
    assert step in saved(state)
    return step


def run_out_of_time(cluster: Cluster, owner: Owner) -> None:
    """Let Slurm find that the job's last minutes begin; its command goes on once it was told so."""
    ends = f"EndTime=now+{GRACE}seconds"
    cluster.run("scontrol", "update", f"JobId={owner.slurm_job}", ends)
    deadline = time.monotonic() + PATIENCE
    while not told_to_end(owner.pid):
        assert time.monotonic() < deadline, cluster.run("scontrol", "show", "job")
        time.sleep(0.2)
    with suppress(ProcessLookupError):
        os.kill(owner.pid, signal.SIGCONT)


def told_to_end(process: int) -> bool:
    """Whether SIGTERM waits for a process that is held still, or has ended it."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return True
    waiting = dict(line.split(":", 1) for line in lines)["ShdPnd"]
    return bool(int(waiting, 16) >> (signal.SIGTERM - 1) & 1)


def ended(process: int) -> bool:
    """Whether a killed process is gone; its parent, killed too, may not have asked for its end."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_job_is_cancelled_and_the_controller_killed(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster
) -> None:
    root = project(tmp_path_factory.mktemp("cluster") / "with space")
    with controller(root, cluster) as process:
        first = trainer(root, process, steps=2)
        assert (first.host, first.slurm_job is None) == (HOST, False)
        cluster.run("scancel", str(first.slurm_job))
        stopped = stop_of(root, attempt=1)
        second = trainer(root, process, steps=stopped + 1, not_job=str(first.slurm_job))
        process.kill()
    assert f"SLURM-job '{first.slurm_job}' failed, SLURM status is: 'CANCELLED'" in said(root)
    assert "log: logs/demo/align-3d-seed0.log" in said(root)

    killed = f"process {process.pid} on {HOST} ran this workflow and was killed"
    assert finish(root, cluster) == 1
    job = f"Slurm job {second.slurm_job} (rule_align_wildcards_demo_3d_0, RUNNING)"
    assert (
        f"work/controllers: {killed}, but what it started still runs: {job}; wait for it or end it "
        f"(`scancel {second.slurm_job}`), then run the same command again"
    ) in said(root).splitlines()

    run_out_of_time(cluster, second)
    while any(state != "COMPLETED" for _, state, _ in cluster.queue()):
        time.sleep(0.2)
    assert stop_of(root, attempt=2) > stopped
    assert finish(root, cluster) == 0, said(root)
    assert f"lynx: {killed}; its locks are removed, nothing of it runs" in said(root).splitlines()
    logs = sorted(path.name for path in (root / "logs/demo").glob("align-*"))
    assert logs == [f"align-3d-seed0.{end}" for end in ("1.log", "2.log", "3.log", "log")]
    assert (root / "logs/demo/align-3d-seed0.log").readlink() == Path("align-3d-seed0.3.log")
    assert not (root / "logs/demo/reference-3d.2.log").exists(), "only what was ended began again"
    for manifest in (root / "runs").rglob("manifest.json"):
        verify_files(manifest.parent, deep=True)
    edit_yaml(root / "config/site.yaml", {"slurm": {"gpu_model": "blackwell"}, "threads": 2})
    assert finish(root, cluster) == 0
    assert "Nothing to be done" in said(root), "facts of the cluster repeat nothing"
    edit_yaml(root / "config/site.yaml", {"slurm": {"gpu_model": "a6000"}, "threads": 1})
    assert finish(root, cluster, SCORE) == 0, said(root)

    require_undisturbed_result(
        root, tmp_path_factory.mktemp("local"), ("sft/lynx/scanqa", "predictions/lynx/scanqa")
    )


def test_a_node_is_lost_with_its_job(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster
) -> None:
    """The job waits for a node, and goes on from its last checkpoint under the same controller."""
    root = project(tmp_path_factory.mktemp("lost") / "project")
    run_reference(prepare(root), "3d")
    with controller(root, cluster) as process:
        lost = trainer(root, process, steps=3)
        job = str(lost.slurm_job)
        asked = cluster.run("scontrol", "show", "job", job)
        assert re.search("TresPerJob=gres[:/]gpu:a6000[:=]1", asked), asked
        assert "NumNodes=1" in asked
        cluster.lose_the_node(job)
        while not ended(lost.pid):
            time.sleep(0.1)
        (state,) = (root / "work").glob("align-*")
        kept = max(saved(state))
        assert [[name, now] for name, now, _ in cluster.queue()] == [[job, "PENDING"]]
        cluster.run("scontrol", "update", f"JobId={job}", "StartTime=now")
        cluster.bring_the_node_back()
        assert process.wait(timeout=PATIENCE) == 0, said(root)
    second = (root / "logs/demo/align-3d-seed0.2.log").read_text(encoding="utf-8")
    assert f"{lost}, which was killed" in second
    assert f"going on from step {kept} of" in second
    require_undisturbed_result(root, tmp_path_factory.mktemp("local"))


def require_undisturbed_result(root: Path, other: Path, further: Sequence[str] = ()) -> None:
    """Alignment and further artefacts equal, byte for byte, those of a run left alone here."""
    undisturbed = project(other / "project")
    if further:
        run_chain(undisturbed)
    else:
        local = prepare(undisturbed)
        run_reference(local, "3d")
        run_align(local, "3d")
    for name in ("align/3d", *further):
        folders = (tree / f"runs/demo/{name}/seed0" for tree in (root, undisturbed))
        found, expected = (read_manifest(folder).content for folder in folders)
        assert found == expected, name
