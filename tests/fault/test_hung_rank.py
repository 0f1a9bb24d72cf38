"""A rank that hangs does not keep the others, and the GPUs they hold, for ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lynx.ranks.launch import rank_environment
from tests.project_copy import environment

# Both wait for each other's imports, so that the short patience is for the hung rank alone.
RANK = """
import sys, time
from datetime import timedelta
from pathlib import Path
import torch, torch.distributed
from lynx.ranks import place

folder = Path(sys.argv[1])
place.PATIENCE = timedelta(seconds=3)
(folder / f"ready-{place.here().index}").touch()
while len(list(folder.glob("ready-*"))) < 2:
    time.sleep(0.01)
with place.joined(torch.device("cpu")) as ranks:
    assert ranks.gather(ranks.index) == [0, 1]
    if not ranks.first:
        time.sleep(600)
    ranks.gather("still here")
"""


@pytest.mark.slow
def test_the_other_rank_ends_when_its_patience_does(tmp_path: Path) -> None:
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, str(tmp_path)],
            env=environment() | rank_environment(index, 2, tmp_path),
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    try:
        waiting, hung = ranks
        _, said = waiting.communicate(timeout=120)
        assert waiting.returncode == 1, said
        assert said.splitlines()[-1].startswith("rank 0 of 2: no word from the others (")
        assert "Traceback" not in said
        assert hung.poll() is None, "the launcher ends it, see test_ranks_launch.py"
    finally:
        for rank in ranks:
            rank.kill()
            rank.wait()
