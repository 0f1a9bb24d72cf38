"""Strike at the k-th change of the file system, in a forked child that then dies.

Python raises an audit event before each such change, so nothing that a writer does escapes the
count. The hook cannot be taken off again; it lives and dies with the child.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir"}
ADDS = {"open", "os.mkdir", "os.rename", "fsync"}
DONE = 0
FAILED = 3


def _changes(event: str, arguments: tuple[object, ...], folder: str) -> bool:
    if event in CHANGES:
        return True
    if event != "open":
        return False
    path, mode, _ = arguments
    writes = isinstance(mode, str) and any(letter in mode for letter in "wxa+")
    return writes and str(path).startswith(folder)


class Strike:
    """Counts changes below a folder; from the k-th on, `act` is called before each of them."""

    def __init__(self, folder: Path, at: int, act: Callable[[str], None]) -> None:
        self.folder, self.at, self.act = str(folder), at, act
        self.seen = 0
        self.fsync = os.fsync

    def arm(self) -> None:
        sys.addaudithook(self.hook)
        os.fsync = self.flush

    def flush(self, handle: int) -> None:
        self.count("fsync")
        self.fsync(handle)

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if _changes(event, arguments, self.folder):
            self.count(event)

    def count(self, event: str) -> None:
        self.seen += 1
        if self.seen >= self.at:
            self.act(event)


def kill(event: str) -> None:
    """The process is gone at once: no `finally`, no clean-up."""
    os.kill(os.getpid(), signal.SIGKILL)


def refusing(code: int) -> Callable[[str], None]:
    """A disk that takes nothing new; what is there can still be removed."""

    def refuse(event: str) -> None:
        if event in ADDS:
            raise OSError(code, os.strerror(code))

    return refuse


def struck(work: Callable[[], None], folder: Path, at: int, act: Callable[[str], None]) -> str:
    """Do `work` in a child that is struck at the k-th change below `folder`.

    Gives "done" if there was no k-th change, "killed", or the sentence of the error.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            Strike(folder, at, act).arm()
            work()
            code = DONE
        except Exception as error:
            os.write(writer, f"{error}".encode())
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        sentence = stream.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return "killed"
    return "done" if os.WEXITSTATUS(status) == DONE else sentence
