"""Who holds a lock file: a process on a host, perhaps of a Slurm job."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from lynx.errors import InputError

ASKED_WITHIN = 20.0  # seconds for a command of Slurm


@dataclass(frozen=True)
class Owner:
    """What a holder writes into its lock file, and empties when it lets go."""

    host: str
    pid: int
    slurm_job: str | None

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ) -> Owner:
        """This very process."""
        return cls(socket.gethostname(), os.getpid(), environment.get("SLURM_JOB_ID"))

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The owner in a lock file's text; None if nobody signed it."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None

    def dump(self) -> str:
        """The text of a lock file."""
        return json.dumps(asdict(self)) + "\n"

    def __str__(self) -> str:
        job = f" (Slurm job {self.slurm_job})" if self.slurm_job else ""
        return f"process {self.pid} on {self.host}{job}"

    @property
    def remedy(self) -> str:
        """How to end it."""
        return f"`scancel {self.slurm_job}`" if self.slurm_job else f"`kill {self.pid}`"

    def works_elsewhere(self) -> bool:
        """Whether Slurm says that this owner's job runs, on a node whose locks may not show here.

        A job that was pre-empted and queued again keeps its number: that one is not another.
        """
        here = Owner.here()
        if self.slurm_job is None or self.host == here.host or self.slurm_job == here.slurm_job:
            return False
        command = ["squeue", "--noheader", "--jobs", self.slurm_job, "--format", "%T"]
        try:
            asked = subprocess.run(
                command, capture_output=True, text=True, timeout=ASKED_WITHIN, check=False
            )
        except (FileNotFoundError, subprocess.TimeoutExpired):
            return False
        # A job that Slurm has forgotten is an error of squeue's, with nothing printed.
        return asked.stdout.strip() in ("RUNNING", "COMPLETING", "STOPPED", "SUSPENDED")


def try_lock(stream: IO[Any], path: Path) -> bool:
    """Take the kernel's lock of an open file; False if another process has it.

    The kernel drops it when its holder dies. Over NFS it holds between nodes, on Lustre where it is
    mounted with `flock`. Raises `InputError` on a file system without locks.
    """
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        raise InputError(
            f"{path}: this file system has no file locks ({error.strerror}), expected one where "
            "two writers can be kept apart; mount it with locks (Lustre: `-o flock`) or make "
            "`work` a link to a folder on another one"
        ) from error
    return True
