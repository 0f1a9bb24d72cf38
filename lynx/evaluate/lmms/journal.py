"""What has been answered: JSON Lines that a run goes on from, and that say what was unreadable."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lynx.artifacts.publish import write_atomic

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
        """Read what stands in the file; a line cut by a kill leaves it."""
        journal = cls(path)
        if path is not None and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            whole = text[: text.rfind("\n") + 1]
            if whole != text:
                write_atomic(path, whole)
            for line in whole.split("\n")[:-1]:
                row = Answered(**json.loads(line))
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
            text = "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
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
