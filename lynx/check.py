"""One line of what `lynx doctor` reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "note", "missing"]


@dataclass(frozen=True)
class Check:
    """One line of the report.

    `missing` is what the configured scale cannot run without; a `note` is worth knowing and fails
    nothing. `advice` is a sentence on how to get what is not there, else empty.
    """

    name: str
    status: Status
    found: str
    advice: str = ""
