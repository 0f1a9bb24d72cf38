"""SIGTERM is a request: pre-emption and time limits send it some time before the kill."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lynx.ranks.place import LAUNCHER


@dataclass
class StopRequest:
    """Whether this process was asked to end, by SIGTERM or by the end of its launcher."""

    signalled: bool = False
    launcher: int | None = None

    @property
    def asked(self) -> bool:
        """A rank whose launcher was killed has no one who would collect it."""
        return self.signalled or (self.launcher is not None and os.getppid() != self.launcher)


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Take SIGTERM as a request inside the block; outside it ends the process as ever."""
    launcher = os.environ.get(LAUNCHER)
    request = StopRequest(launcher=None if launcher is None else int(launcher))
    if threading.current_thread() is not threading.main_thread():
        yield request  # Python gives signals to the main thread alone
        return

    def note(*_: object) -> None:
        request.signalled = True

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield request
    finally:
        signal.signal(signal.SIGTERM, before)
