"""Mean and spread over seeds, by variant and by what a question needs."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from lynx.artifacts.publish import write_atomic
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


def em_groups(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """EM@1 with its count: over all questions, then by need."""
    needs = report["groups"].get("needs", {})
    by_need = {f"needs {name}": needs[name]["em"] for name in sorted(needs)}
    return {"all": report["metrics"]["em"], **by_need}


def em_spreads(runs: dict[int, dict[str, Any]]) -> dict[str, Spread]:
    """EM@1 over all questions and by need, over the seeds of one variant."""
    seeds = [em_groups(runs[seed]) for seed in sorted(runs)]
    return {name: Spread(tuple(groups[name]["value"] for groups in seeds)) for name in seeds[0]}


def seed_rows(project: Project, benchmark: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table over seeds: EM@1 x 100, mean and sample deviation."""
    runs = read_runs(project, benchmark)
    order = [name for name in project.experiment.variants if name in runs]
    groups = em_groups(next(iter(runs[order[0]].values())))
    titles = [f"{name} ({em['count']})" for name, em in groups.items()]
    rows = [
        [
            variant,
            ", ".join(map(str, sorted(runs[variant]))),
            *(spread.text() for spread in em_spreads(runs[variant]).values()),
        ]
        for variant in order
    ]
    return ["variant", "seeds", *titles], rows


def print_seeds(project: Project, benchmark: str) -> None:
    """Print the table over seeds."""
    header, rows = seed_rows(project, benchmark)
    table = Table(title=f"{benchmark}: EM@1 x 100 over seeds, mean ± sample deviation")
    for index, title in enumerate(header):
        table.add_column(title, justify="left" if index < 2 else "right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def write_seeds(project: Project, benchmark: str) -> None:
    """Write every run's EM@1 as CSV and the table over seeds as Markdown."""
    folder = project.layout.root / "results" / "tables"
    lines = ["variant,seed,group,count,em"]
    for variant, runs in read_runs(project, benchmark).items():
        for seed, report in sorted(runs.items()):
            lines += [
                f"{variant},{seed},{name},{em['count']},{em['value']:.6f}"
                for name, em in em_groups(report).items()
            ]
    write_atomic(folder / f"{benchmark}-seeds.csv", "\n".join(lines) + "\n")
    header, rows = seed_rows(project, benchmark)
    table = [header, ["---", "---", *(["---:"] * (len(header) - 2))], *rows]
    text = "".join(f"| {' | '.join(row)} |\n" for row in table)
    note = f"{benchmark}: EM@1 x 100, mean ± sample deviation over seeds (questions in brackets)."
    write_atomic(folder / f"{benchmark}-seeds.md", f"{note}\n\n{text}")
