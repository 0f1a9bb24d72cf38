"""Peak memory of one path, measured in a process of its own: `python -m benchmarks.memory ...`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch

from benchmarks.paths import MEASURES
from benchmarks.workbench import ROOT, Workbench

STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """The high-water mark of this program's resident memory.

    Not `ru_maxrss`, which a child process takes over from the parent that started it.
    """
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{STATUS}: no VmHWM line; peak memory is measured on Linux alone")


def measure_peak(name: str, path: str, folder: Path, threads: int) -> dict[str, int]:
    """Bytes at the peak of one run of a path, and at the peak before it, libraries imported."""
    command = [sys.executable, "-m", "benchmarks.memory", name, path, str(folder), str(threads)]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found: dict[str, int] = json.loads(output.splitlines()[-1])
    return found


def main(name: str, path: str, folder: str, threads: str) -> None:
    """Run one path once and print its peaks as JSON."""
    torch.set_num_threads(int(threads))
    bench = Workbench.open(Path(folder))
    # The image processor imports torchvision; both kinds of path pay for it before the first mark.
    imported = peak_bytes()
    MEASURES[name].paths[path](bench)()
    print(json.dumps({"imported": imported, "peak": peak_bytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
