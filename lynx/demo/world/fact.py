"""What a question asks for: the slots of its wording, the accepted answers, what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fact:
    """`answers` in order of preference; `objects` name the things that a question is about."""

    answers: tuple[str, ...]
    slots: Mapping[str, str] = field(default_factory=dict)
    objects: tuple[str, ...] = ()
