"""The table that `make demo` ends with: one benchmark's metrics, lynx beside its controls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lynx.errors import InputError
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
}
WHAT_IT_SEES = {
    "lynx": "video + aligned X",
    "video-only": "video",
    "plain-tower": "video + X, no adapter",
    "zero-shot": "video, no training",
}


def read_headline(path: Path) -> dict[str, Any]:
    """`results/<benchmark>/metrics.json`; InputError if nothing was run yet."""
    if not path.is_file():
        raise InputError(
            f"{path}: no metrics yet; run `snakemake --profile local {path.as_posix()}` first"
        )
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def variant_rows(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Metrics by variant: lynx first, then its controls."""
    rows = {report["variant"]: {key: report[key] for key in ("metrics", "groups")}}
    controls: dict[str, dict[str, Any]] = report.get("compare_with", {})
    return rows | controls


def percent(metric: dict[str, Any]) -> str:
    """A fraction times 100 with one decimal, as papers print it."""
    return f"{100 * metric['value']:.1f}"


def print_table(project: Project, benchmark: str) -> None:
    """Print metrics x 100 by variant, EM by what questions need, and where to look next."""
    path = project.layout.headline(benchmark)
    report = read_headline(path)
    rows = variant_rows(report)
    keys = list(project.experiment.benchmarks[benchmark].headline)
    needs = sorted(report["groups"].get("needs", {}))
    note = ", synthetic world" if report["synthetic"] else ""
    table = Table(
        title=f"{benchmark}, split {report['split']}, {report['samples']} questions{note}\n"
        f"scale {report['scale']}, recipe {report['recipe']}, seed {report['seed']}; values x 100"
    )
    table.add_column("variant")
    table.add_column("sees")
    for key in keys:
        table.add_column(TITLES.get(key, key), justify="right")
    for need in needs:
        count = report["groups"]["needs"][need]["em"]["count"]
        table.add_column(f"EM@1 needs\n{need} ({count})", justify="right")
    for variant, row in rows.items():
        values = [percent(row["metrics"][key]) for key in keys]
        values += [percent(row["groups"]["needs"][need]["em"]) for need in needs]
        style = "bold" if variant == "lynx" else ""
        table.add_row(variant, WHAT_IT_SEES.get(variant, ""), *values, style=style)
    console = Console()
    console.print(table)
    console.print(
        f"Next: {path.as_posix()} holds every metric with its count; runs/{report['scale']}/"
        "predictions the answers;\ndocs/demo the same experiment over three seeds; README.md what "
        "else there is to run.",
        highlight=False,
    )
