"""Resumable state under `work/`: named by what decides the result, one writer at a time.

Design, rule 4.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lynx.errors import InputError

LOCK_NAME = "lock"


@contextmanager
def exclusive_state(work: Path, stage: str, identity: str) -> Iterator[Path]:
    """Hold `work/<stage>-<identity>` for this process; a second writer is refused at once.

    The kernel drops the lock when its holder dies, so a kill never leaves a stale one.
    """
    folder = work / f"{stage}-{identity[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK_NAME
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            stream.seek(0)
            owner = stream.read().strip() or "unknown"
            raise InputError(
                f"{folder}: process {owner} is writing this state; wait for it or stop it, "
                "then run the same command again"
            ) from error
        stream.truncate(0)
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        yield folder
