"""What was measured of base models and references: `results/<scale>/{geometry,stability}.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from lynx.artifacts.sealed import number_problems
from lynx.artifacts.verify import version_problems
from lynx.errors import InputError
from lynx.report.runs import RESULTS

KINDS = ("geometry", "stability")


class _File(BaseModel):
    """What tables rely on beside the numbers that they show."""

    stage: str
    scale: str
    synthetic: bool
    base: str
    parents: dict[str, str]
    stage_version: int
    versions: dict[str, str]


@dataclass(frozen=True)
class Measure:
    """One file: what it is of, and its path below the project's root."""

    scale: str
    kind: str
    path: Path
    report: Mapping[str, Any]


@dataclass(frozen=True)
class Measures:
    """Files by scale and kind."""

    found: Mapping[tuple[str, str], Measure]

    def __iter__(self) -> Iterator[Measure]:
        yield from self.found.values()

    @property
    def scales(self) -> tuple[str, ...]:
        """Every scale that something was measured at."""
        return tuple(sorted({scale for scale, _ in self.found}))

    def synthetic(self, scale: str) -> bool:
        """Whether a scale's measures are of the rendered world."""
        return any(
            bool(item.report["synthetic"]) for item in self.found.values() if item.scale == scale
        )

    def value(self, scale: str, kind: str, key: str) -> float | None:
        """A number by its dotted key; None where nothing was measured.

        Raises InputError if the file has no number there.
        """
        if (measure := self.found.get((scale, kind))) is None:
            return None
        value: Any = measure.report
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, int | float):
            raise InputError(
                f"{RESULTS}/{scale}/{kind}.json: no number at '{key}', which a table shows; "
                f"run the rule {kind} again"
            )
        return float(value)


def read_measures(root: Path) -> Measures:
    """Read and check every file.

    Raises InputError for one that is no measure of today's code, was edited, holds a number that is
    none, or says it is of another scale than its folder.
    """
    paths = sorted(path for kind in KINDS for path in (root / RESULTS).glob(f"*/{kind}.json"))
    found = [
        Measure(path.parent.name, path.stem, path.relative_to(root), _read(path)) for path in paths
    ]
    return Measures({(each.scale, each.kind): each for each in found})


def _read(path: Path) -> dict[str, Any]:
    again = f"run the rule {path.stem} again"
    text = path.read_bytes()
    try:
        said = _File.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise InputError(f"{path}: {key} is not a measure's ({first['msg']}); {again}") from error
    if (said.scale, said.stage) != (path.parent.name, path.stem):
        raise InputError(
            f"{path}: claims to be {said.stage} at {said.scale}, whose place is results/"
            f"{said.scale}/{said.stage}.json; delete this copy, or {again}"
        )
    found: dict[str, Any] = json.loads(text)
    older = version_problems(path, said.stage, said.stage_version, again)
    for problem in chain(older, number_problems(path, found, again)):
        raise InputError(problem)
    return found
