"""Resumable state under `work/`: named by what decides the result, one writer at a time.

Architecture, rule 4.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lynx.artifacts.owner import Owner, try_lock
from lynx.errors import InputError

LOCK_NAME = "lock"
logger = logging.getLogger(__name__)


@contextmanager
def exclusive_state(work: Path, stage: str, name: str) -> Iterator[Path]:
    """Hold `work/<stage>-<name>` for this process; a second writer is refused at once.

    The kernel drops the lock when its holder dies, so a kill never leaves a stale one; who died is
    named, and its state goes on here.
    """
    folder = work / f"{stage}-{name[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK_NAME
    with path.open("a+", encoding="utf-8") as stream:
        free = try_lock(stream, path)
        stream.seek(0)
        owner = Owner.parse(stream.read())
        if not free or (owner is not None and owner.works_elsewhere()):
            raise InputError(
                f"{folder}: {owner or 'another process'} is writing this state; wait for it or "
                f"stop it{f' ({owner.remedy})' if owner else ''}, then run the same command again"
            )
        if owner is not None:
            logger.warning("%s: goes on from %s, which was killed", folder, owner)
        stream.truncate(0)
        stream.write(Owner.here().dump())
        stream.flush()
        try:
            yield folder
        finally:
            stream.truncate(0)
