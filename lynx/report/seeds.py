"""Mean and spread over seeds, by variant and by what a question needs."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from lynx.errors import InputError
from lynx.project import Project


@dataclass(frozen=True)
class Spread:
    """A metric over seeds: every value, in seed order."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float:
        """Sample standard deviation over seeds; 0 for one seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else 0.0

    def text(self) -> str:
        """Mean and deviation x 100."""
        return f"{100 * self.mean:.1f} ± {100 * self.deviation:.1f}"


def read_runs(project: Project, benchmark: str) -> dict[str, dict[int, dict[str, Any]]]:
    """Every run's metrics: variant -> seed -> metrics.json."""
    root = project.layout.root / "results" / project.layout.scale
    runs: dict[str, dict[int, dict[str, Any]]] = {}
    for path in sorted(root.glob(f"*/{benchmark}/seed*/metrics.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        runs.setdefault(report["variant"], {})[report["seed"]] = report
    if not runs:
        raise InputError(f"{root}: no runs of {benchmark} found; run its metrics.json first")
    return runs


def em_spreads(runs: dict[int, dict[str, Any]]) -> dict[str, Spread]:
    """EM@1 over all questions and by need, over the seeds of one variant."""
    reports = [runs[seed] for seed in sorted(runs)]
    spreads = {"all": Spread(tuple(report["metrics"]["em"]["value"] for report in reports))}
    for need in sorted(reports[0]["groups"].get("needs", {})):
        values = (report["groups"]["needs"][need]["em"]["value"] for report in reports)
        spreads[need] = Spread(tuple(values))
    return spreads


def print_seeds(project: Project, benchmark: str) -> None:
    """Print EM@1 x 100 by variant: mean and sample deviation over seeds."""
    runs = read_runs(project, benchmark)
    order = [name for name in project.experiment.variants if name in runs]
    table = Table(title=f"{benchmark}: EM@1 x 100 over seeds, mean ± sample deviation")
    table.add_column("variant")
    table.add_column("seeds")
    columns = list(em_spreads(runs[order[0]]))
    for column in columns:
        table.add_column(f"needs {column}" if column != "all" else "all", justify="right")
    for variant in order:
        spreads = em_spreads(runs[variant])
        seeds = ", ".join(map(str, sorted(runs[variant])))
        table.add_row(variant, seeds, *(spreads[column].text() for column in columns))
    Console().print(table)
