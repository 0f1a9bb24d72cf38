"""One state and one artefact of all ranks: the first one holds and writes them, others look on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lynx.artifacts.publish import Draft
from lynx.project import StageRun
from lynx.ranks.place import here


@contextmanager
def shared_state(run: StageRun) -> Iterator[Path]:
    """The resumable state of an artefact; see `StageRun.state`.

    The others wait until the first rank has it, and end with it if it is refused.
    """
    ranks = here()
    if ranks.first:
        with run.state() as folder:
            ranks.gather(str(folder))
            yield folder
    else:
        yield Path(ranks.gather("")[0])


@contextmanager
def first_publishes(run: StageRun, device: str) -> Iterator[Draft | None]:
    """The artefact being written, see `StageRun.publish`; None on the ranks that do not write."""
    if here().first:
        with run.publish(device) as draft:
            yield draft
    else:
        yield None
