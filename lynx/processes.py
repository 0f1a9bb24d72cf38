"""Work on many items in several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from tqdm import tqdm

Task = TypeVar("Task")
Done = TypeVar("Done")


def in_processes(
    work: Callable[[Task], Done], tasks: Sequence[Task], workers: int, *, desc: str, unit: str
) -> Iterator[Done]:
    """`work` of each task, in order, with a progress bar; one worker is this process itself."""
    with tqdm(total=len(tasks), desc=desc, unit=unit, mininterval=1.0) as bar:
        for done in _results(work, tasks, workers):
            bar.update()
            yield done


def _results(work: Callable[[Task], Done], tasks: Sequence[Task], workers: int) -> Iterator[Done]:
    if workers <= 1:
        yield from map(work, tasks)
        return
    # Spawned, not forked: the caller may hold threads (torch) that do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(work, tasks, chunksize=4)
