"""The table that `make demo` ends with: one benchmark's metrics, lynx beside its controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lynx.errors import InputError
from lynx.evaluate.metrics_file import own_problems, read_report
from lynx.project import Project

TITLES = {
    "em": "EM@1",
    "em_refined": "EM@1 refined",
    "bleu1": "BLEU-1",
    "bleu2": "BLEU-2",
    "bleu3": "BLEU-3",
    "bleu4": "BLEU-4",
    "meteor": "METEOR",
    "rouge_l": "ROUGE-L",
    "cider": "CIDEr",
    "accuracy": "accuracy",
    "substring_accuracy": "accuracy (substring)",
    "exact_accuracy": "accuracy (exact)",
    "strict_accuracy": "accuracy (strict)",
    "mean_accuracy": "accuracy, mean over tasks",
}
WHAT_IT_SEES = {
    "lynx": "video + aligned X",
    "video-only": "video",
    "plain-tower": "video + plain X",
    "repeated-video": "video twice",
    "zero-shot": "video, untrained",
}


def read_headline(path: Path) -> dict[str, Any]:
    """`results/<benchmark>/metrics.json`; InputError if nothing was run yet, or it was edited."""
    if not path.is_file():
        raise InputError(
            f"{path}: no metrics yet; run `snakemake --profile local {path.as_posix()}` first"
        )
    report = read_report(path)
    for problem in own_problems(path, report):
        raise InputError(problem)
    return report


def variant_rows(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Metrics by variant: lynx first, then its controls."""
    rows = {report["variant"]: {key: report[key] for key in ("metrics", "groups")}}
    controls: dict[str, dict[str, Any]] = report.get("compare_with", {})
    return rows | controls


def percent(metric: dict[str, Any]) -> str:
    """A fraction times 100 with one decimal, as papers print it."""
    return f"{100 * metric['value']:.1f}"


def print_table(project: Project, benchmark: str) -> None:
    """Print metrics x 100 by variant, the main one by group too, and where to look next."""
    path = project.layout.headline(benchmark)
    report = read_headline(path)
    rows = variant_rows(report)
    note = ", synthetic world" if report["synthetic"] else ""
    table = Table(
        title=f"{benchmark}, split {report['split']}, {report['samples']} questions{note}\n"
        f"scale {report['scale']}, recipe {report['recipe']}, seed {report['seed']}; values x 100"
    )
    table.add_column("")
    for variant in rows:
        table.add_column(f"{variant}\n{WHAT_IT_SEES.get(variant, '')}", justify="right")
    for key in project.experiment.benchmarks[benchmark].headline:
        values = (percent(row["metrics"][key]) for row in rows.values())
        table.add_row(TITLES.get(key, key), *values)
    config = project.experiment.benchmarks[benchmark]
    metric = config.main_metric
    for grouping in config.main_groups:
        for name, group in sorted(report["groups"].get(grouping, {}).items()):
            values = (percent(row["groups"][grouping][name][metric]) for row in rows.values())
            title = f"{TITLES.get(metric, metric)} {name} ({group[metric]['count']})"
            table.add_row(title, *values, style="bold")
    console = Console()
    console.print(table)
    console.print(
        f"Next: {path.as_posix()} holds every metric with its count,\n"
        f"      runs/{report['scale']}/predictions the answers, docs/demo the same over seeds;\n"
        "      README.md says what else there is to run.",
        highlight=False,
    )
