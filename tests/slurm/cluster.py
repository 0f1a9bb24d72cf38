"""A real Slurm of one node on loopback: own ports, own munge key, all state in one folder.

`python -m tests.slurm.cluster up FOLDER` starts one and prints what to put on PATH, `down FOLDER`
ends what `up` started there and nothing else. It needs root and Debian's slurmctld, slurmd,
slurm-client and munge; GPUs are pretended. Nothing outside the folder is written.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged")
CLIENTS = ("sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol", "sacct")
GPUS = 4
READY = ("idle", "mix", "alloc")


class NoSlurmError(Exception):
    """Why no cluster can be started here."""


@dataclass(frozen=True)
class Cluster:
    """One that runs below `folder`."""

    folder: Path

    @property
    def clients(self) -> Path:
        """A folder for PATH: Slurm's commands, which find this cluster whatever is exported.

        The executor takes every SLURM_ variable out of the environment of a job, SLURM_CONF too.
        """
        return self.folder / "bin"

    def run(self, *command: str) -> str:
        """What one of Slurm's commands prints."""
        words = [str(self.clients / command[0]), *command[1:]]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout

    def queue(self) -> list[list[str]]:
        """Jobs that have not ended: id, state, comment, attempt's nodes."""
        lines = self.run("squeue", "--noheader", "--format", "%i|%T|%k").splitlines()
        return [line.split("|") for line in lines]

    def up(self) -> Cluster:
        """Start it and wait until its node takes jobs."""
        require_packages()
        munge = self.folder / "munge"
        for name in ("state", "spool", "log", "run", "bin", "munge"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (munge / "key").write_bytes(os.urandom(1024))
        (munge / "key").chmod(0o400)
        self._write_configuration()
        self._write_clients()
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid"}
        files |= {"log-file": "log", "seed-file": "seed"}
        options = [f"--{name}={munge / file}" for name, file in files.items()]
        self._call(_program("munged"), "--force", *options)
        for name in ("slurmctld", "slurmd"):
            self._call(_program(name), "-f", str(self.folder / "slurm.conf"))
        self._wait_for_the_node()
        return self

    def down(self) -> None:
        """Cancel its jobs and end its three programs, each by the process id it wrote down."""
        if self._alive("run/slurmctld.pid"):
            subprocess.run([self.clients / "scancel", "--user=root"], check=False, timeout=20)
            self._wait(lambda: not self.queue(), 20)
        for name in ("run/slurmd.pid", "run/slurmctld.pid", "munge/pid"):
            process = self._alive(name)
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(timeout=20)
            except psutil.TimeoutExpired:
                process.kill()

    def lose_the_node(self, job: str) -> None:
        """End the node's daemon and all that it ran of a job at once, as a loss of power does.

        Slurm would find out by itself after `SlurmdTimeout`; here it is told.
        """
        daemon = self._alive("run/slurmd.pid")
        assert daemon is not None
        daemon.kill()
        daemon.wait(timeout=20)
        for process in _processes_of(job):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.run("scontrol", "update", f"NodeName={_host()}", "State=DOWN", "Reason=lost")

    def bring_the_node_back(self) -> None:
        """Start its daemon anew and wait until it takes jobs."""
        self._call(_program("slurmd"), "-f", str(self.folder / "slurm.conf"))
        self._wait_for_the_node()

    def _write_configuration(self) -> None:
        host = _host()
        control, daemon = _free_ports(2)
        memory = psutil.virtual_memory().total * 9 // 10 // 2**20
        for index in range(GPUS):  # a plain file is refused, and jobs then see no GPU
            (self.folder / f"gpu{index}").symlink_to("/dev/null")
        gpus = f"gpu:a6000:{GPUS}"
        settings = {
            "ClusterName": "lynx",
            "SlurmctldHost": f"{host}(127.0.0.1)",
            "SlurmctldPort": control,
            "SlurmdPort": daemon,
            "CommunicationParameters": "NoCtldInAddrAny,NoInAddrAny",  # loopback alone
            "SlurmUser": "root",
            "SlurmdUser": "root",
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={self.folder}/munge/socket",
            "StateSaveLocation": self.folder / "state",
            "SlurmdSpoolDir": self.folder / "spool",
            "SlurmctldPidFile": self.folder / "run/slurmctld.pid",
            "SlurmdPidFile": self.folder / "run/slurmd.pid",
            "SlurmctldLogFile": self.folder / "log/slurmctld.log",
            "SlurmdLogFile": self.folder / "log/slurmd.log",
            "PlugStackConfig": self.folder / "plugstack.conf",
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "JobAcctGatherType": "jobacct_gather/none",
            "AccountingStorageType": "accounting_storage/none",
            "MpiDefault": "none",
            "SwitchType": "switch/none",
            "ReturnToService": 2,
            "SchedulerParameters": "sched_interval=1,bf_interval=1,batch_sched_delay=0",
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_Core_Memory",
            "SlurmdParameters": "config_overrides",  # four cores, whatever this process may use
            "DefMemPerCPU": 256,
            "MinJobAge": 300,
            "KillWait": 10,  # seconds between SIGTERM and SIGKILL
            "JobRequeue": 0,
            "GresTypes": "gpu",
        }
        lines = [f"{key}={value}" for key, value in settings.items()]
        lines.append(
            f"NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory={memory} Gres={gpus} "
            "State=UNKNOWN"
        )
        lines.append(f"PartitionName=main Nodes={host} Default=YES MaxTime=1-0 State=UP")
        devices = f"NodeName={host} Name=gpu Type=a6000 File={self.folder}/gpu[0-{GPUS - 1}]"
        written = {
            "slurm.conf": "\n".join(lines),
            "gres.conf": devices,
            "cgroup.conf": "CgroupPlugin=cgroup/v1",
            "plugstack.conf": "",
        }
        for name, text in written.items():
            (self.folder / name).write_text(text + "\n", encoding="utf-8")

    def _write_clients(self) -> None:
        for name in CLIENTS:
            path = self.clients / name
            path.write_text(
                f'#!/bin/sh\nSLURM_CONF="{self.folder}/slurm.conf" exec {_program(name)} "$@"\n',
                encoding="utf-8",
            )
            path.chmod(0o755)

    def _call(self, *command: str) -> None:
        said = self.folder / "log/start.log"
        with said.open("w") as stream:  # a daemon would hold a pipe open
            code = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
        if code:
            raise NoSlurmError(f"{command[0]}: {said.read_text().strip()}")

    def _wait_for_the_node(self) -> None:
        def ready() -> bool:
            command = [self.clients / "sinfo", "--noheader", "--format", "%t"]
            asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
            return asked.stdout.strip() in READY

        if not self._wait(ready, 30):
            logs = sorted((self.folder / "log").glob("*.log"))
            said = "\n".join(path.read_text(errors="replace")[-1500:] for path in logs)
            raise NoSlurmError(f"the node takes no jobs:\n{said}")

    @staticmethod
    def _wait(done: object, seconds: float) -> bool:
        assert callable(done)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if done():
                return True
            time.sleep(0.2)
        return False

    def _alive(self, name: str) -> psutil.Process | None:
        """The process that wrote this file, if it is still that one and no zombie."""
        try:
            process = psutil.Process(int((self.folder / name).read_text()))
            words = " ".join(process.cmdline())
        except (OSError, ValueError, psutil.Error):
            return None
        return process if str(self.folder) in words else None


def require_packages() -> None:
    """Make sure that Slurm is installed; in a container without an init system, install it.

    Raises `NoSlurmError` with the reason where that cannot be.
    """
    lacking = [name for name in PROGRAMS if not _found(name)]
    if os.geteuid() != 0:
        raise NoSlurmError("Slurm's daemons need root")
    if not lacking:
        return
    wanted = f"apt-get install {' '.join(PACKAGES)}"
    if Path("/run/systemd/system").exists() or not shutil.which("apt-get"):
        raise NoSlurmError(f"{', '.join(lacking)} not found; {wanted}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ("-qq", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10")
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(
            ["apt-get", *options, *command], env=quiet, capture_output=True, text=True, check=False
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise NoSlurmError(f"{wanted} failed: {reason}")
    if still := [name for name in PROGRAMS if not _found(name)]:
        raise NoSlurmError(f"{', '.join(still)} not found after {wanted}")


def _host() -> str:
    return socket.gethostname().split(".")[0]


def _processes_of(job: str) -> list[psutil.Process]:
    """What runs of a job: Slurm's own processes for its steps first, they would report the rest."""
    steps, others = [], []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if f"slurmstepd: [{job}." in " ".join(process.cmdline()):
                steps.append(process)
            elif process.environ().get("SLURM_JOB_ID") == job:
                others.append(process)
    return [*steps, *others]


def _found(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def _program(name: str) -> str:
    """The installed program: never one of the clients in a cluster's folder."""
    found = _found(name)
    assert found is not None, name
    return found


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def main() -> None:
    """`up FOLDER` or `down FOLDER`."""
    action, folder = sys.argv[1:]
    cluster = Cluster(Path(folder).resolve())
    if action == "up":
        print(f'export PATH="{cluster.up().clients}:$PATH"')
    elif action == "down":
        cluster.down()
    else:
        sys.exit("up or down")


if __name__ == "__main__":
    main()
