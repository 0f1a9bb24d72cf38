"""What was measured of base models and references: `results/<scale>/{geometry,stability}.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lynx.artifacts.sealed import number_problems, read_sealed
from lynx.errors import InputError
from lynx.report.runs import RESULTS

KINDS = ("geometry", "stability")


@dataclass(frozen=True)
class Measures:
    """Files by scale and kind."""

    found: Mapping[tuple[str, str], Mapping[str, Any]]

    @property
    def scales(self) -> tuple[str, ...]:
        """Every scale that something was measured at."""
        return tuple(sorted({scale for scale, _ in self.found}))

    def synthetic(self, scale: str) -> bool:
        """Whether a scale's measures are of the rendered world."""
        return any(
            bool(item["synthetic"]) for (name, _), item in self.found.items() if name == scale
        )

    def value(self, scale: str, kind: str, key: str) -> float | None:
        """A number by its dotted key; None where nothing was measured.

        Raises InputError if the file has no number there.
        """
        value: Any = self.found.get((scale, kind))
        if value is None:
            return None
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, int | float):
            raise InputError(
                f"{RESULTS}/{scale}/{kind}.json: no number at '{key}', which a table shows; "
                f"run the rule {kind} again"
            )
        return float(value)


def read_measures(root: Path) -> Measures:
    """Read and check every file; InputError for one that was edited or holds no finite numbers."""
    paths = sorted(path for kind in KINDS for path in (root / RESULTS).glob(f"*/{kind}.json"))
    return Measures({(path.parent.name, path.stem): _read(path) for path in paths})


def _read(path: Path) -> dict[str, Any]:
    again = f"run the rule {path.stem} again"
    found = read_sealed(path, again)
    if "synthetic" not in found:
        raise InputError(f"{path}: holds no measures of a base model; {again}")
    for problem in number_problems(path, found, again):
        raise InputError(problem)
    return found
