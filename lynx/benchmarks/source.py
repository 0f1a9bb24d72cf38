"""What is said of a benchmark's raw data: files, published counts, licence, access, size.

A benchmark's file holds its own `Source`. What is not known is None there, never a guess, and names
of files are the reader's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Confidence = Literal["checked", "published"]
"""`checked`: counted from, or stated in, the benchmark's own public repository; `published`: the
figure that papers give, not counted again."""


@dataclass(frozen=True)
class PublishedCount:
    """How many of what a split holds, and how sure that is."""

    value: int
    confidence: Confidence
    unit: str


@dataclass(frozen=True)
class SplitSource:
    """A split: its official files below the annotations' root, and its published counts.

    ``items`` counts what the reader makes samples of, ``clips`` what they are asked about; None
    where no count is known; ``groups`` are those of single question types or tags. All of them are
    of ``counted_file`` alone where it is named: another file may be read in its place, of which
    nothing is known. Without public answers a split can be predicted, not scored.
    """

    files: tuple[str, ...]
    items: PublishedCount | None = None
    clips: PublishedCount | None = None
    answers_public: bool = True
    groups: Mapping[str, PublishedCount] = field(default_factory=dict)
    counted_file: str | None = None


@dataclass(frozen=True)
class Source:
    """All that is needed to get a benchmark's raw data, one sentence each, without its full stop.

    ``splits`` has an entry for every split of the benchmark. ``further`` are files that the reader
    takes where they are, and does without elsewhere.
    """

    splits: Mapping[str, SplitSource]
    further: tuple[str, ...]
    licence: str
    access: str
    disk: str

    def split(self, name: str) -> SplitSource:
        """What is said of a split; of one that has no entry nothing is known."""
        return self.splits.get(name, SplitSource(()))


_UNSAID = "not known: the benchmark's file gives no source"
UNKNOWN = Source(splits={}, further=(), licence=_UNSAID, access=_UNSAID, disk=_UNSAID)
"""Of a benchmark that says nothing of its raw data."""


def counted(value: int, unit: str) -> PublishedCount:
    """A count from the benchmark's own public repository."""
    return PublishedCount(value, "checked", unit)


def quoted(value: int, unit: str) -> PublishedCount:
    """A figure that papers give."""
    return PublishedCount(value, "published", unit)
