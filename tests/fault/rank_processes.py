"""`lynx` commands as processes of their own, what they print, and the ranks that they start."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.project_copy import environment

PATIENCE = 300.0


@dataclass
class Command:
    """A running command; its error output goes to a file."""

    process: subprocess.Popen[bytes]
    output: Path

    @classmethod
    def start(cls, root: Path, *arguments: str) -> Command:
        output = root / "output.txt"
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "lynx.cli", *arguments],
                cwd=root,
                env=environment(),
                stdout=subprocess.DEVNULL,
                stderr=stream,
            )
        return cls(process, output)

    @property
    def said(self) -> str:
        """All that it printed, progress bars cut into lines."""
        return self.output.read_text(encoding="utf-8").replace("\r", "\n")

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Look on until it has got that far; it must not end before."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.005)

    def end(self) -> int:
        """Its exit code."""
        return self.process.wait(timeout=PATIENCE)

    def ranks(self) -> dict[int, int]:
        """Process by rank."""
        found = {}
        pid = self.process.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            for entry in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                if entry.startswith(b"RANK="):
                    found[int(entry.removeprefix(b"RANK="))] = int(child)
        return found


def checkpoints(work: Path, stage: str, known: set[str]) -> list[int]:
    """Steps of the checkpoints in the state folders that were not there before."""
    folders = [path for path in work.glob(f"{stage}-*") if path.name not in known]
    return sorted(
        int(path.name.removeprefix("step-")) for each in folders for path in each.glob("step-*")
    )
