"""A job's log, kept for each of its attempts."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lynx.errors import InputError

COPY = 'trap "" TERM INT HUP; exec tee -a "$1"'
PATIENCE = 5.0  # seconds for what is still in the pipe when a command ends


@contextmanager
def attempt_log(path: Path) -> Iterator[Path]:
    """Copy all that this process and its children print into a log of this attempt.

    For `align.log` that is `align.1.log`, at the next attempt `align.2.log`; `align.log` itself is
    a link to the newest one. What is printed is still printed.

    Raises InputError if a folder stands there, or a file in the place of a folder above.
    """
    _make_room(path)
    log = path.with_name(f"{path.stem}.{_attempts(path) + 1}{path.suffix}")
    log.touch()
    _link(path, log)
    kept = [os.dup(stream) for stream in (1, 2)]
    reading, writing = os.pipe()
    # A program of its own: it writes the last line even when this process is killed. Slurm and
    # terminals signal it too, while this process still saves and says so.
    copier = subprocess.Popen(["sh", "-c", COPY, "tee", str(log)], stdin=reading)
    for stream in (1, 2):
        os.dup2(writing, stream)
    os.close(writing)
    try:
        yield log
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, before in zip((1, 2), kept, strict=True):
            os.dup2(before, stream)
            os.close(before)
        _let_finish(copier, reading)


def _make_room(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        raise InputError(
            f"--log {path}: found a folder, expected a file or nothing; name a file in it, such as "
            f"{path / 'lynx.log'}"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(
            f"--log {path}: found a file in the place of its folder, expected a folder or nothing; "
            "name another file"
        ) from None


def _let_finish(copier: subprocess.Popen[bytes], reading: int) -> None:
    """Wait until all is copied, not until the copier ends.

    It ends with the last process that can print into it, and Python's resource tracker, which
    pools of processes start, lives as long as this process does.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and copier.poll() is None:
        if _waiting(reading) == 0:
            break
        time.sleep(0.01)
    os.close(reading)
    try:
        copier.wait(timeout=0.1)
    except subprocess.TimeoutExpired:
        copier.returncode = 0  # it goes on alone; there is nothing more to collect


def _waiting(reading: int) -> int:
    """Bytes in a pipe that nobody has read."""
    answer = fcntl.ioctl(reading, termios.FIONREAD, b"\0\0\0\0")
    return int.from_bytes(answer, sys.byteorder)


def _attempts(path: Path) -> int:
    """The highest number among the logs of earlier attempts."""
    pattern = re.compile(rf"{re.escape(path.stem)}\.(\d+){re.escape(path.suffix)}")
    found = (pattern.fullmatch(other.name) for other in path.parent.iterdir())
    return max((int(match[1]) for match in found if match), default=0)


def _link(path: Path, log: Path) -> None:
    """Make `path` a link to `log` beside it, in one step."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    beside.symlink_to(log.name)
    os.replace(beside, path)
