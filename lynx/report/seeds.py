"""Mean and spread over seeds, by variant and by what a question needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from lynx.artifacts.publish import write_atomic
from lynx.errors import InputError
from lynx.project import Project
from lynx.report.runs import RENDERED, RESULTS, read_runs_of
from lynx.report.spread import Spread
from lynx.report.terminal import TITLES

Reports = dict[str, dict[int, dict[str, Any]]]
"""Variant -> seed -> metrics.json."""


def read_seeds(project: Project, benchmark: str) -> Reports:
    """Every run's metrics at the configured scale."""
    runs: Reports = {}
    for run in read_runs_of(project.layout.root, project.layout.scale, benchmark):
        runs.setdefault(run.name.variant, {})[run.name.seed] = dict(run.report)
    if not runs:
        folder = project.layout.root / RESULTS / project.layout.scale
        raise InputError(f"{folder}: no runs of {benchmark} found; run its metrics.json first")
    return runs


@dataclass(frozen=True)
class Shown:
    """What is shown of a benchmark: one metric, over all questions and within groupings."""

    metric: str
    groups: tuple[str, ...]

    @classmethod
    def of(cls, project: Project, benchmark: str) -> Shown:
        """As the benchmark's configuration says."""
        config = project.experiment.benchmarks[benchmark]
        return cls(config.main_metric, config.main_groups)

    @property
    def title(self) -> str:
        """The metric's name in tables."""
        return TITLES.get(self.metric, self.metric)

    def read(self, report: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """The metric with its count: over all questions, then by group."""
        by_group = {
            f"{grouping} {name}": values[self.metric]
            for grouping in self.groups
            for name, values in sorted(report["groups"].get(grouping, {}).items())
        }
        return {"all": report["metrics"][self.metric], **by_group}

    def spreads(self, runs: dict[int, dict[str, Any]]) -> dict[str, Spread]:
        """The same over the seeds of one variant."""
        seeds = [self.read(runs[seed]) for seed in sorted(runs)]
        trained = any(report["ranks"] for report in runs.values())
        return {
            name: Spread.over_seeds([read[name]["value"] for read in seeds], trained=trained)
            for name in seeds[0]
        }


def configured(project: Project, runs: Reports) -> Reports:
    """Those of the configured variants over the configured seeds, whatever else was run."""
    found = {
        variant: {
            seed: runs[variant][seed]
            for seed in project.experiment.main.seeds
            if seed in runs[variant]
        }
        for variant in project.experiment.seed_variants
        if variant in runs
    }
    return {variant: seeds for variant, seeds in found.items() if seeds}


def seed_rows(project: Project, runs: Reports, shown: Shown) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table over seeds: values x 100, mean and sample deviation."""
    order = project.experiment.in_order(runs)
    groups = shown.read(next(iter(runs[order[0]].values())))
    titles = [f"{name} ({item['count']})" for name, item in groups.items()]
    rows = [
        [
            variant,
            ", ".join(map(str, sorted(runs[variant]))),
            *(spread.text(factor=100) for spread in shown.spreads(runs[variant]).values()),
        ]
        for variant in order
    ]
    return ["variant", "seeds", *titles], rows


def print_seeds(project: Project, benchmark: str) -> None:
    """Print the table over the seeds of every variant that was run."""
    shown = Shown.of(project, benchmark)
    header, rows = seed_rows(project, read_seeds(project, benchmark), shown)
    table = Table(title=f"{benchmark}: {shown.title} x 100 over seeds, mean ± sample deviation")
    for index, title in enumerate(header):
        table.add_column(title, justify="left" if index < 2 else "right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def write_seeds(project: Project, benchmark: str) -> None:
    """Write the configured runs' main metric as CSV and the table over seeds as Markdown."""
    folder = project.layout.tables
    shown = Shown.of(project, benchmark)
    runs = configured(project, read_seeds(project, benchmark))
    if not runs:
        raise InputError(
            f"{benchmark}: no run of a configured variant and seed found, expected one of "
            f"{', '.join(project.experiment.seed_variants)}; run the target experiments first"
        )
    lines = [f"variant,seed,group,count,{shown.metric}"]
    for variant, seeds in runs.items():
        for seed, report in sorted(seeds.items()):
            lines += [
                f"{variant},{seed},{name},{item['count']},{item['value']:.6f}"
                for name, item in shown.read(report).items()
            ]
    write_atomic(folder / f"{benchmark}-seeds.csv", "\n".join(lines) + "\n")
    header, rows = seed_rows(project, runs, shown)
    table = [header, ["---", "---", *(["---:"] * (len(header) - 2))], *rows]
    text = "".join(f"| {' | '.join(row)} |\n" for row in table)
    note = f"{benchmark}: {shown.title} x 100, mean ± sample deviation over seeds"
    note += " (questions in brackets)."
    reports = [report for seeds in runs.values() for report in seeds.values()]
    if not all(report["ranks"] for report in reports):
        note += " What is not trained is the same for every seed."
    banner = f"> **{RENDERED}**\n\n" if any(report["synthetic"] for report in reports) else ""
    write_atomic(folder / f"{benchmark}-seeds.md", f"{banner}{note}\n\n{text}")
