"""What has been answered: JSON Lines that a run goes on from, and that say what was unreadable."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lynx.artifacts.publish import write_atomic
from lynx.artifacts.sealed import open_line, sealed_line
from lynx.errors import InputError

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answered:
    """An answer to one item of a task; empty, with the reason, where its clip cannot be read."""

    task: str
    doc: int
    question: str
    text: str
    unreadable: str | None


@dataclass
class Journal:
    """Answers by task and number of the item, kept in a file if there is one."""

    path: Path | None
    rows: dict[tuple[str, int], Answered] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path | None) -> Journal:
        """Read what stands in the file; a line that was cut by a kill or changed leaves it.

        Raises:
            InputError: lines stand in it, and none is one of a journal: it is some other file.
        """
        journal = cls(path)
        if path is not None and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            lines = text[: text.rfind("\n") + 1].split("\n")[:-1]  # answers may hold other breaks
            opened = [(line, found) for line in lines if (found := open_line(line)) is not None]
            if lines and not opened:
                raise InputError(
                    f"{path}: found no line with its own hash among {len(lines)}, expected answers "
                    "that were kept in it; name another file for the journal, or delete this one"
                )
            whole = "".join(f"{line}\n" for line, _ in opened)
            if whole != text:
                write_atomic(path, whole)
            for _, found in opened:
                row = Answered(**found)
                journal.rows[row.task, row.doc] = row
        return journal

    def find(self, task: str, doc: int, question: str) -> Answered | None:
        """The answer to an item, if it is known and the item still asks the same."""
        row = self.rows.get((task, doc))
        return row if row is not None and row.question == question else None

    def add(self, rows: Sequence[Answered]) -> None:
        """Keep the answers about one clip, all of them or none."""
        self.rows.update({(row.task, row.doc): row for row in rows})
        if self.path is not None:
            text = "".join(sealed_line(asdict(row)) for row in rows)
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())

    @property
    def unreadable(self) -> list[Answered]:
        """The items whose clip cannot be read, in the order they were met."""
        return [row for row in self.rows.values() if row.unreadable is not None]

    def report(self) -> None:
        """Name the clips that cannot be read."""
        reasons = list(dict.fromkeys(row.unreadable for row in self.unreadable))
        for reason in reasons:
            LOG.warning("no answer: %s", reason)
        if reasons:
            LOG.warning(
                "questions without an answer, which counts as wrong: %d", len(self.unreadable)
            )
