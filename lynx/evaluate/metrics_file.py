"""`metrics.json`: written with a hash of its own content, read back, checked by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from lynx.artifacts.publish import write_atomic
from lynx.artifacts.sealed import number_problems, sealed_text
from lynx.artifacts.verify import version_problems
from lynx.errors import InputError

FILE_NAME = "metrics.json"
SCORES = ("metrics", "groups", "samples", "missing", "empty")
AGAIN = "run the score rule again"


class _Metric(BaseModel):
    value: float
    count: int


class _Report(BaseModel):
    """What every reader of a score relies on; it holds more."""

    benchmark: str
    split: str
    scale: str
    variant: str
    recipe: str
    seed: int
    metrics: dict[str, _Metric]
    groups: dict[str, dict[str, dict[str, _Metric]]]
    samples: int
    missing: int
    empty: int
    predictions: str = ""
    data: str = ""
    parents: dict[str, str] = {}
    versions: dict[str, str] = {}
    stage_version: int = 0
    compare_with: dict[str, dict[str, object]] = {}


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write a score with its content hash; ValueError for a number that is not finite."""
    write_atomic(path, sealed_text(report))


def read_report(path: Path) -> dict[str, Any]:
    """Read a score; InputError for a file that is absent or is none."""
    if not path.is_file():
        raise InputError(f"{path}: no metrics of this run; {AGAIN}")
    text = path.read_bytes()
    try:
        _Report.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the whole file"
        raise InputError(f"{path}: {where} is not a score's ({problem['msg']}); {AGAIN}") from error
    report: dict[str, Any] = json.loads(text)
    return report


def own_problems(path: Path, report: Mapping[str, Any]) -> Iterator[str]:
    """What a score shows by itself: an edit, a number that is none, counts that do not add up."""
    older = list(version_problems(path, "score", report.get("stage_version"), AGAIN))
    yield from older or number_problems(path, report, AGAIN)
    yield from count_problems(path, report)


def count_problems(path: Path, report: Mapping[str, Any]) -> Iterator[str]:
    """Every metric is over all samples, and a group's metrics are over one number of them."""
    samples = report["samples"]
    for name, metric in report["metrics"].items():
        if metric["count"] != samples:
            yield (
                f"{path}: metrics.{name} is over {metric['count']} items, expected all {samples} "
                f"samples; {AGAIN}"
            )
    if report["missing"] + report["empty"] > samples:
        yield (
            f"{path}: {report['missing']} missing and {report['empty']} empty answers, expected at "
            f"most {samples} samples; {AGAIN}"
        )
    for grouping, groups in report["groups"].items():
        for group, metrics in groups.items():
            counts = sorted({metric["count"] for metric in metrics.values()})
            if len(counts) > 1 or counts[-1:] > [samples]:
                yield (
                    f"{path}: groups.{grouping}.{group} is over {', '.join(map(str, counts))} "
                    f"items, expected one number of at most {samples}; {AGAIN}"
                )
