"""Resumable state under `work/`: named by what decides the result, one writer at a time.

Architecture, rule 4.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lynx.artifacts.owner import Owner, try_lock
from lynx.artifacts.publish import saving_state
from lynx.errors import InputError

LOCK_NAME = "lock"
logger = logging.getLogger(__name__)


@contextmanager
def exclusive_state(work: Path, stage: str, name: str) -> Iterator[Path]:
    """Hold `work/<stage>-<name>` for this process; a second writer is refused at once.

    The kernel drops the lock when its holder dies, so a kill never leaves a stale one; who died is
    named, and its state goes on here. Raises InputError for a second writer and for a disk that
    takes nothing.
    """
    folder = work / f"{stage}-{name[:16]}"
    path = folder / LOCK_NAME
    with saving_state(path):
        folder.mkdir(parents=True, exist_ok=True)
        # Without a buffer, which a full disk would refuse a second time as the file is closed.
        stream = path.open("ab+", buffering=0)
    with stream:
        free = try_lock(stream, path)
        stream.seek(0)
        owner = Owner.parse(stream.read().decode(errors="replace"))
        if not free or (owner is not None and owner.works_elsewhere()):
            raise InputError(
                f"{folder}: {owner or 'another process'} is writing this state; wait for it or "
                f"stop it{f' ({owner.remedy})' if owner else ''}, then run the same command again"
            )
        if owner is not None:
            logger.warning("%s: goes on from %s, which was killed", folder, owner)
        with saving_state(path):
            stream.truncate(0)
            stream.write(Owner.here().dump().encode())
        try:
            yield folder
        finally:
            with saving_state(path):
                stream.truncate(0)
