"""Freed blocks are used again: the page faults of arrays that come and go are paid once."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

COUNT = """
import resource, sys
import numpy as np
from lynx.memory import keep_freed_blocks

if sys.argv[1] == "kept":
    keep_freed_blocks()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    step = [np.ones(1 << 18, np.float32) for _ in range(40)]
    del step
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", COUNT, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told so")
def test_a_freed_array_costs_no_faults_again() -> None:
    by_default, kept = faults("default"), faults("kept")
    assert by_default > 100_000  # 40 MB in pages of 4 kB, fifty times
    assert kept < by_default / 10
