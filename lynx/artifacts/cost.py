"""What an artefact cost: the time of all attempts at it, its processes, their peak memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lynx.artifacts.publish import write_atomic
from lynx.artifacts.state import LOCK_NAME
from lynx.errors import InputError

COST = "cost"
"""Under which of a manifest's facts it stands."""
RECORD_NAME = "attempts.json"


class Cost(BaseModel):
    """What a manifest says of it: seconds over all attempts, with all processes at work together.

    Memory is the first process's: that of its GPU where it computes on one, else of the host.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float
    attempts: int
    processes: int
    peak_memory_mb: int


class _Attempts(BaseModel):
    """Earlier attempts at what a state is for, and when the running one began."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = 0.0
    attempts: int = 0
    running_since: float | None = None


@dataclass
class Meter:
    """Counts from when it is made."""

    earlier: _Attempts = field(default_factory=_Attempts)
    begun: float = field(default_factory=time.monotonic)

    def spent(self, processes: int) -> Cost:
        """What all attempts have come to by now."""
        return Cost(
            seconds=round(self.earlier.seconds + time.monotonic() - self.begun, 1),
            attempts=self.earlier.attempts + 1,
            processes=processes,
            peak_memory_mb=peak_memory_mb(),
        )

    @contextmanager
    def kept_in(self, state: Path) -> Iterator[None]:
        """Go on from what earlier attempts took, as the state says, and leave word for the next.

        One that was killed counts up to the last file that it wrote there. Raises InputError for a
        record that is none.
        """
        self.earlier = _read(state)
        self._write(state, running_since=time.time())
        try:
            yield
        finally:
            spent = self.spent(1)
            self.earlier = _Attempts(seconds=spent.seconds, attempts=spent.attempts)
            self._write(state)

    def _write(self, state: Path, running_since: float | None = None) -> None:
        record = self.earlier.model_copy(update={"running_since": running_since})
        write_atomic(state / RECORD_NAME, record.model_dump_json(indent=1) + "\n")


def _read(state: Path) -> _Attempts:
    path = state / RECORD_NAME
    if not path.is_file():
        return _Attempts()
    try:
        found = _Attempts.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InputError(
            f"{path}: not a record of attempts ({error}); delete it, the state then counts from now"
        ) from error
    if found.running_since is None:
        return found
    files = (item for item in state.rglob("*") if item.is_file() and item.name != LOCK_NAME)
    written = [item.stat().st_mtime for item in files]
    killed_after = max(0.0, max(written) - found.running_since)
    return _Attempts(seconds=found.seconds + killed_after, attempts=found.attempts + 1)


def peak_memory_mb() -> int:
    """The most that this process held: of its GPU's memory if it used one, else of the host's."""
    torch = sys.modules.get("torch")  # a stage that computes nothing does not import it
    if torch is not None and torch.cuda.is_initialized():
        return int(torch.cuda.max_memory_reserved()) // 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
