"""What a cell of ours leads to: runs with data, checkpoint, frames and prompt, or a measure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from lynx.artifacts.lineage import VIDEOS
from lynx.config.layout import Layout, manifest
from lynx.report.paper.grid import anchor
from lynx.report.paper.measures import Measure
from lynx.report.runs import Run, RunName

HASH_DIGITS = 12
AGAIN = "snakemake --profile local"


@dataclass(frozen=True)
class RunCard:
    """The runs of one scale, variant and benchmark, or one measure of a base model."""

    anchor: str
    title: str
    facts: dict[str, str]
    seeds: tuple[dict[str, str], ...]
    synthetic: bool
    """Whether it is of a rendered world."""


def cards_of(
    runs: Iterable[Run], measures: Iterable[Measure], recipes: Mapping[str, str]
) -> Iterator[RunCard]:
    """A card for each scale, variant and benchmark, sorted, then one for each measure.

    `recipes` are those that the configuration takes at a scale: a run of another one is made again
    by naming it.
    """

    def of_all_seeds(run: Run) -> tuple[str, str, str]:
        return run.name.scale, run.name.variant, run.name.benchmark

    ordered = sorted(runs, key=lambda run: run.name)
    for (scale, variant, benchmark), members in groupby(ordered, of_all_seeds):
        found = list(members)
        yield RunCard(
            anchor=anchor(scale, variant, benchmark),
            title=f"{variant} on {benchmark} at {scale}",
            facts=_of_all(found),
            seeds=tuple(_of_seed(run, recipes) for run in found),
            synthetic=any(run.synthetic for run in found),
        )
    for measure in measures:
        yield _of_measure(measure)


def _of_all(runs: Sequence[Run]) -> dict[str, str]:
    """The facts of every seed; where seeds differ in one, all that is said of it."""
    facts = [_facts(run) for run in runs]
    return {key: "; ".join(dict.fromkeys(each[key] for each in facts)) for key in facts[0]}


def _facts(run: Run) -> dict[str, str]:
    report = run.report
    view = report["settings"]["view"]
    counts = [f"{report[key]} {key}" for key in ("missing", "empty") if report[key]]
    counts += [
        f"{count} clips: {what}"
        for what, count in report["clips"].items()
        if what != "all" and count
    ]
    if shared := report["shared_names"]["clips"]:
        counts.append(f"{shared} clips named as a file that was trained on")
    return {
        "split": ", ".join([f"{report['split']}, {report['samples']} questions", *counts]),
        "recipe": report["recipe"],
        "data": short(report["data"]),
        "base": short(report["parents"]["base"]),
        "frames": f"{view['frames']}, sampled by {view['sampling']}",
        "drawing of X": json.dumps(view["drawing"], ensure_ascii=False)
        if "drawing" in view
        else "no X is shown",
        "visual tokens": str(report["visual_tokens"]),
        "first prompt": report["prompt"],
        "reference": "\n".join(_made_by(run, "reference")) or "none",
        "device": ", ".join(sorted({cost["device"] for cost in run.costs().values()})),
        "versions": _versions(report),
    }


def _of_measure(measure: Measure) -> RunCard:
    report, path = measure.report, measure.path.as_posix()
    made_from = [f"{manifest(Path(name))}, {short(key)}" for name, key in report["parents"].items()]
    return RunCard(
        anchor=anchor(measure.scale, measure.kind),
        title=f"{measure.kind} at {measure.scale}",
        facts={
            "base": short(report["base"]),
            "made from": "\n".join(made_from),
            "versions": _versions(report),
        },
        seeds=({"measure": path, "again": f"{AGAIN} -- {path}"},),
        synthetic=bool(report["synthetic"]),
    )


def _versions(report: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in report["versions"].items())


def _of_seed(run: Run, recipes: Mapping[str, str]) -> dict[str, str]:
    report = run.report
    other = recipes.get(run.name.scale) != report["recipe"]
    recipe = f" --config recipe={report['recipe']}" if other else ""
    return {
        "seed": str(run.name.seed),
        "score": run.path.as_posix(),
        "answers": f"{predictions_of(run.name)}, {short(report['predictions'])}",
        "vision adapter": "\n".join(_made_by(run, "align")) or "of its tuning"
        if "vision" in report["ranks"]
        else "none",
        "language adapter": "\n".join(_made_by(run, "sft")) or "none",
        "again": f"{AGAIN}{recipe} -- {run.path.as_posix()}",
    }


def _made_by(run: Run, stage: str) -> list[str]:
    """The manifests of a stage that stand behind a run, with the hash of what they are of, and how
    many videos a reference is of."""
    return [
        ", ".join(
            [
                manifest(Path(folder)),
                short(each["content"]),
                *([f"{each[VIDEOS]} videos"] if VIDEOS in each else []),
            ]
        )
        for folder, each in run.made_by(stage).items()
    ]


def predictions_of(name: RunName) -> str:
    """The manifest of a run's answers, below the project's root."""
    layout = Layout(Path(), name.scale)
    return manifest(layout.predictions(name.variant, name.benchmark, name.seed))


def short(text: str) -> str:
    """The first digits of a hash."""
    return text[:HASH_DIGITS]
