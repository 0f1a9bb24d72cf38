"""Ranks without a command: the same function in several processes that meet over gloo."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch
import torch.multiprocessing

from lynx.ranks.launch import rank_environment
from lynx.ranks.place import LAUNCHER, joined

Work = Callable[[Path], None]


def _rank(index: int, count: int, work: Work, folder: Path) -> None:
    os.environ.update(rank_environment(index, count, folder))
    os.environ[LAUNCHER] = str(os.getppid())
    torch.set_num_threads(1)
    with joined(torch.device("cpu")):
        work(folder)


def on_ranks_alone(count: int, work: Work, folder: Path) -> None:
    """Do `work(folder)` in `count` new processes; raises what one of them raised."""
    torch.multiprocessing.start_processes(
        _rank, args=(count, work, folder), nprocs=count, start_method="spawn"
    )
