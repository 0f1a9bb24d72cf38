"""`lynx compare`: metrics of several runs with intervals, and the questions that they differ on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lynx.benchmarks.grouping import group_members
from lynx.benchmarks.sample import Sample
from lynx.config.loading import configured_with, load_experiment
from lynx.metrics.per_item import PerItem, Table
from lynx.report.comparison.bootstrap import LEVEL, RESAMPLES, Paired, paired_intervals
from lynx.report.comparison.runs import Run, Runs, read_runs

NOT_SAID = "the benchmark's scorer does not say what each question adds to it"
NOT_SUMMED = "what its questions add to it does not come to its value"
ONE_QUESTION = "one question has no spread"


@dataclass(frozen=True)
class Row:
    """One metric of every run, over all questions or within a group of them.

    ``paired`` is None where there is no interval; ``why_not`` says why.
    """

    metric: str
    group: tuple[str, str] | None
    count: int
    values: tuple[float, ...]
    paired: Paired | None
    why_not: str | None = None

    def differences(self) -> list[float]:
        """Each run's value less the first one's."""
        return [value - self.values[0] for value in self.values]


@dataclass(frozen=True)
class Differing:
    """A question on which runs have different scores by the main metric, one score a run."""

    sample: Sample
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other: all metrics, the main one by group, and questions that differ.

    ``differing`` is None where the main metric has no value of a single question.
    """

    compared: Runs
    main_metric: str
    rows: list[Row]
    differing: list[Differing] | None

    @property
    def runs(self) -> list[Run]:
        """The runs, in the order given."""
        return self.compared.runs


def compare(
    paths: Sequence[Path],
    root: Path | None = None,
    files: Sequence[Path] = (),
    overrides: Mapping[str, object] | None = None,
) -> Comparison:
    """Compare scores, given files or their folders; the first one is what others differ from.

    Main metric and groups are those that the first run's project configures.
    Raises InputError as ``read_runs`` does, or for a configuration that cannot be read.
    """
    compared = read_runs(paths, root)
    first = compared.runs[0].score
    name, scale = first.report["benchmark"], first.report["scale"]
    # Asked of results that are there, so neither need be what is configured to run.
    chosen = {
        "scale": scale,
        **(overrides or {}),
        "benchmarks": [configured_with(first.root, name)],
    }
    config = load_experiment(files, chosen, first.root).benchmarks[name]
    return beside(compared, config.main_metric, config.main_groups)


def beside(compared: Runs, main_metric: str, main_groups: Sequence[str]) -> Comparison:
    """The comparison of runs that were read."""
    rows = [*_overall(compared), *_by_group(compared, main_metric, main_groups)]
    return Comparison(compared, main_metric, rows, _differing(compared, main_metric))


def _per_item(runs: Sequence[Run], metric: str) -> list[PerItem] | None:
    """What each question adds to a metric, by run; None unless every run's scorer says so."""
    if all(metric in run.scores.per_item for run in runs):
        return [run.scores.per_item[metric] for run in runs]
    return None


def _overall(compared: Runs) -> Iterator[Row]:
    """All metrics of the protocol, in its order, over all questions."""
    runs = compared.runs
    said = {metric: _per_item(runs, metric) for metric in runs[0].scores.metrics}
    found = _intervals(said, len(compared.samples))
    for metric in said:
        values = tuple(run.scores.metrics[metric].value for run in runs)
        yield _row(metric, None, len(compared.samples), values, found.get(metric))


def _by_group(compared: Runs, metric: str, groupings: Sequence[str]) -> Iterator[Row]:
    """The main metric within each group of the groupings that are shown."""
    runs, items = compared.runs, _per_item(compared.runs, metric)
    place = {sample.id: number for number, sample in enumerate(compared.samples)}
    for group, ids in group_members(compared.samples).items():
        if group[0] not in groupings:
            continue
        places = np.array([place[item] for item in ids], dtype=np.intp)
        within = None if items is None else [run.only(places) for run in items]
        found = _intervals({metric: within}, len(ids)).get(metric)
        values = tuple(run.scores.groups[group[0]][group[1]][metric].value for run in runs)
        yield _row(metric, group, len(ids), values, found)


def _intervals(said: Mapping[str, list[PerItem] | None], count: int) -> dict[str, Paired]:
    if count < 2:
        return {}
    return paired_intervals({metric: items for metric, items in said.items() if items is not None})


def _row(
    metric: str,
    group: tuple[str, str] | None,
    count: int,
    values: tuple[float, ...],
    paired: Paired | None,
) -> Row:
    """A row, without an interval where what is resampled would be another number."""
    if paired is None:
        why = ONE_QUESTION if count < 2 else NOT_SAID
        return Row(metric, group, count, values, None, why)
    pairs = zip(values, paired.values, strict=True)
    if not all(math.isclose(*pair, rel_tol=1e-9, abs_tol=1e-9) for pair in pairs):
        return Row(metric, group, count, values, None, NOT_SUMMED)
    return Row(metric, group, count, values, paired)


def _differing(compared: Runs, metric: str) -> list[Differing] | None:
    """Questions with different scores: the largest difference first, then in table order."""
    items = _per_item(compared.runs, metric)
    if items is None:
        return None
    scores: Table = np.array([item.alone() for item in items])
    spread: NDArray[np.float64] = scores.max(axis=0) - scores.min(axis=0)
    order = np.argsort(-spread, kind="stable")
    return [
        Differing(compared.samples[place], tuple(scores[:, place].tolist()))
        for place in order[spread[order] > 0].tolist()
    ]


def as_dict(found: Comparison, limit: int | None = None) -> dict[str, Any]:
    """All of it as JSON types; at most `limit` questions, without it every one that differs."""
    report = found.runs[0].score.report
    return {
        **{key: report[key] for key in ("benchmark", "split", "samples", "synthetic")},
        "level": LEVEL,
        "resamples": RESAMPLES,
        "runs": [_run_as_dict(run) for run in found.runs],
        "metrics": [_row_as_dict(row) for row in found.rows],
        "main_metric": found.main_metric,
        "differing": None if found.differing is None else len(found.differing),
        "questions": [_question_as_dict(found, item) for item in (found.differing or [])[:limit]],
    }


def _run_as_dict(run: Run) -> dict[str, Any]:
    keys = ("scale", "variant", "recipe", "seed", "missing", "empty", "predictions")
    chosen = {key: run.score.report[key] for key in keys}
    return {"label": run.label, "path": run.score.path.as_posix(), **chosen}


def _row_as_dict(row: Row) -> dict[str, Any]:
    runs: list[dict[str, Any]] = [
        {"value": value, "difference": difference}
        for value, difference in zip(row.values, row.differences(), strict=True)
    ]
    if row.paired is not None:
        pairs = zip(runs, row.paired.runs, row.paired.differences, strict=True)
        for entry, interval, difference in pairs:
            entry["interval"] = asdict(interval)
            entry["difference_interval"] = asdict(difference)
            entry["difference_excludes_zero"] = difference.excludes_zero
    grouping, group = row.group or (None, None)
    return {
        "metric": row.metric,
        "grouping": grouping,
        "group": group,
        "count": row.count,
        "runs": runs,
        "no_interval": row.why_not,
    }


def _question_as_dict(found: Comparison, item: Differing) -> dict[str, Any]:
    sample = item.sample
    return {
        "id": sample.id,
        "clip": sample.clip,
        "question": sample.turns[-1].question,
        "options": list(sample.options),
        "references": list(sample.references),
        "runs": [
            {"answer": run.answers.get(sample.id), "score": score}
            for run, score in zip(found.runs, item.scores, strict=True)
        ],
    }
