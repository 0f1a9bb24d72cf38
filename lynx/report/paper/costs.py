"""What the runs behind a table's row took: device hours by stage, visual tokens, memory."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lynx.report.runs import Run

STAGES = {"align": ("reference", "align"), "features": ("features",), "sft": ("sft",)}
STAGES |= {"evaluation": ("predict",)}
"""Column -> the stages whose artefacts it sums up."""
TITLES = {
    "align": "align",
    "features": "features",
    "sft": "sft",
    "evaluation": "evaluation",
    "tokens": "visual tokens",
    "memory": "peak (GB)",
}


@dataclass(frozen=True)
class Costs:
    """Mean device hours of a seed by column, visual tokens of a question, most memory of a process.

    An artefact that several of the row's benchmarks share is counted once.
    """

    hours: Mapping[str, float]
    tokens: tuple[int, ...]
    memory_gb: float
    devices: tuple[str, ...]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Costs:
        """Of all benchmarks and seeds of one row; there is at least one run."""
        seeds: dict[int, dict[str, dict[str, Any]]] = {}
        for run in runs:
            seeds.setdefault(run.name.seed, {}).update(run.costs())
        every = [cost for found in seeds.values() for cost in found.values()]
        return cls(
            hours={
                column: statistics.fmean(_hours(found.values(), names) for found in seeds.values())
                for column, names in STAGES.items()
            },
            tokens=tuple(sorted({int(run.report["visual_tokens"]) for run in runs})),
            memory_gb=max(cost["peak_memory_mb"] for cost in every) / 1024,
            devices=tuple(sorted({cost["device"] for cost in every})),
        )

    def texts(self) -> dict[str, str]:
        """Each column's text: times in fitting units, a range where benchmarks differ."""
        first, last = self.tokens[0], self.tokens[-1]
        return {
            **{column: spell(hours) if hours else "-" for column, hours in self.hours.items()},
            "tokens": str(first) if first == last else f"{first}-{last}",
            "memory": f"{self.memory_gb:.1f}",
        }


def spell(hours: float) -> str:
    """A time in hours, minutes or seconds, the largest unit of which there is one."""
    units = {"h": hours, "min": hours * 60}
    unit = next((name for name, value in units.items() if value >= 1), "s")
    return f"{units.get(unit, hours * 3600):.1f} {unit}"


def _hours(costs: Iterable[Mapping[str, Any]], stages: Sequence[str]) -> float:
    chosen = (cost for cost in costs if cost["stage"] in stages)
    return sum(float(cost["seconds"]) * int(cost["processes"]) for cost in chosen) / 3600
