"""Strike at the k-th change below a folder, in a forked child that then dies.

Changes are: opening a file to write, the middle of each write, a truncation, a flush to the disk,
and making, renaming or removing a name. Python raises an audit event before it opens a file and
before it changes a name. It raises none for the others, so in the child `open` gives files that
count them, `os.fsync` counts, and safetensors, which writes past Python, writes through such a file
too. A strike within a write comes when half of its bytes are in the file. Names and flushes count
wherever they are, since what is removed below an open folder goes without its path. Neither the
hook nor the files can be taken off again; they live and die with the child.
"""

from __future__ import annotations

import builtins
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, serialize

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir"}
ADDS = {"open", "write", "os.mkdir", "os.rename", "fsync"}
DONE = 0
FAILED = 3


def _writes(mode: object, flags: int = 0) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wxa+")
    return bool(flags & (os.O_WRONLY | os.O_RDWR))  # `os.open` has no mode


class Strike:
    """Counts changes below a folder; from the k-th on, `act` is called at each of them."""

    def __init__(self, folder: Path, at: int, act: Callable[[str], None]) -> None:
        self.folder, self.at, self.act = str(folder), at, act
        self.seen = 0
        self.open, self.fsync = io.open, os.fsync

    def arm(self) -> None:
        sys.addaudithook(self.hook)
        builtins.open = io.open = self.open_counted  # type: ignore[assignment]
        os.fsync = self.flush
        safetensors.torch.serialize_file = self.serialize_file

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        written = event == "open" and _writes(*arguments[1:]) and self.below(arguments[0])
        if written or event in CHANGES:
            self.count(event)

    def below(self, path: object) -> bool:
        return str(path).startswith(self.folder)

    def count(self, event: str) -> None:
        self.seen += 1
        if self.seen >= self.at:
            self.act(event)

    def flush(self, handle: int) -> None:
        self.count("fsync")
        self.fsync(handle)

    def open_counted(
        self,
        file: str | Path,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Any:
        """As `open`; of a file below the folder that is opened to write, a counted one."""
        if not _writes(mode) or not self.below(file):
            return self.open(file, mode, buffering, encoding, errors, newline)
        raw = CountedFile(self, file, mode.replace("b", "").replace("t", ""))
        if buffering == 0:
            return raw
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)

    def serialize_file(
        self, tensors: Any, filename: str | Path, metadata: dict[str, str] | None = None
    ) -> None:
        """As safetensors 0.8: written beside and renamed, a fault told in its own words."""
        beside = Path(filename).with_name(".written-by-safetensors")
        try:
            with io.open(beside, "wb") as stream:  # noqa: UP020 (the counted one)
                stream.write(serialize(tensors, metadata))
            os.rename(beside, filename)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise SafetensorError(
                f"Error while serializing: I/O error: {error.strerror} (os error {error.errno})"
            ) from error


class CountedFile(io.FileIO):
    """A file whose writes are struck in their middle."""

    def __init__(self, strike: Strike, file: str | Path, mode: str) -> None:
        super().__init__(file, mode)
        self.strike = strike

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        half = len(view) // 2
        super().write(view[:half])
        self.strike.count("write")
        super().write(view[half:])
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        self.strike.count("truncate")
        return super().truncate(size)


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
    """Do `work` in a child that is struck at the k-th change of a file below `folder`.

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
