"""Stage `lmms`: lmms-eval asks and judges one trained variant, offline, on the site's data."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lynx.artifacts.environment import package_versions
from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import MANIFEST_NAME
from lynx.artifacts.publish import Draft
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.artifacts.verify import require_stage
from lynx.benchmarks.stage import require_held_out
from lynx.config.slices import lmms_slice
from lynx.config.stages import VideoFiles
from lynx.config.training_sets import training_sources
from lynx.errors import InputError
from lynx.evaluate.lmms.collect import (
    Judged,
    Package,
    read_log,
    read_package,
    score,
    write_predictions,
)
from lynx.evaluate.lmms.journal import Journal
from lynx.evaluate.lmms.layouts import read_layout
from lynx.evaluate.lmms.local_tasks import LocalTasks, package_version, prepare
from lynx.evaluate.lmms.run import command, model_arguments, run
from lynx.evaluate.metrics_file import write_report
from lynx.evaluate.predictions import FILE_NAME
from lynx.model.vision_adapter import require_vision
from lynx.project import Project, StageRun
from lynx.sft.stage import require_language

OWN_FILES, JOURNAL, OUTPUT = "lmms_eval", "journal.jsonl", "output"


def run_lmms(
    project: Project,
    variant: str,
    benchmark: str,
    files: Sequence[Path],
    overrides: Mapping[str, object],
) -> None:
    """Answer and score a benchmark's tasks; `files` and `overrides` are the project's own.

    Raises:
        InputError: data or adapter cannot be used, the adapters met what is asked about, lmms-eval
            fails, or more clips than `frames.allow_missing` lets pass cannot be read.
    """
    experiment, layout, seed = project.experiment, project.layout, project.seed
    adapter = layout.sft(variant, experiment.trainer_of(benchmark), seed)
    package = package_version()
    prepared = StageRun.prepare(
        project,
        "lmms",
        layout.lmms(variant, benchmark, seed),
        {**lmms_slice(experiment, variant, benchmark), "lmms_eval": package},
        [("base", layout.base), ("data", layout.data(benchmark)), ("sft", adapter)],
        seed,
    )
    met = _require_adapters(project, variant, benchmark)
    require_held_out(project, benchmark, experiment.recipes[benchmark].evaluate.split, met)
    started = time.monotonic()
    with prepared.state() as state:
        evaluate = experiment.recipes[benchmark].evaluate
        root = project.annotations_root(benchmark)
        tasks = read_layout(benchmark, root, state, evaluate.split)
        prepare(tasks, state)
        inside = {path: Path(os.path.relpath(path, layout.root)) for path in (adapter, state)}
        arguments = model_arguments(inside[adapter], benchmark, files, overrides)
        arguments["journal"] = (inside[state] / JOURNAL).as_posix()
        shutil.rmtree(state / OUTPUT, ignore_errors=True)
        output = (state / OUTPUT).resolve()
        batch = evaluate.questions_per_batch
        words = command(arguments, tasks.tables, state.resolve(), output, batch)
        run(words, state, layout.root)
        found = read_package(state / OUTPUT, tasks.tables)
        judged = [
            each
            for table, log in zip(tasks.tables, found.files[1:], strict=True)
            for each in read_log(log, table)
        ]
        unreadable = _unreadable(project, benchmark, tasks, Journal.open(state / JOURNAL))
        with prepared.publish() as draft:
            _write(draft, found, judged)
            draft.counts["unreadable"] = len(unreadable)
            draft.facts["wall_seconds"] = round(time.monotonic() - started, 1)
    report = {
        "benchmark": benchmark,
        "scale": experiment.scale_name,
        "variant": variant,
        "recipe": experiment.recipe_name,
        "seed": seed,
        "synthetic": experiment.synthetic,
        **score(judged),
        "unreadable": unreadable,
        "absent_tasks": list(tasks.absent),
        "lmms_eval": _said(package, found),
        "predictions": hash_file(prepared.target / MANIFEST_NAME),
        "parents": {entry.stage: entry.content for entry in prepared.parents},
        "stage_version": STAGE_VERSIONS["lmms"],
        "versions": package_versions(),
    }
    write_report(layout.lmms_metrics(variant, benchmark, seed), report)


def _require_adapters(project: Project, variant: str, benchmark: str) -> list[tuple[str, ...]]:
    """The adapters are those of the recipe, whatever the folder holds; gives the sources that they
    met, whose tables are as published.

    Raises InputError if one of them is not so.
    """
    experiment, layout = project.experiment, project.layout
    require_language(project, variant, benchmark)
    if experiment.variants[variant].x in ("aligned", "joint"):
        require_vision(project, variant, benchmark)
    met = training_sources(experiment, variant, benchmark)
    for name in dict.fromkeys(name for names in met for name in names):
        require_stage(layout.data(name), "data")
    return met


def _said(package: str, found: Package) -> dict[str, Any]:
    """What lmms-eval reports itself; its figures are percentages, and its denominators its own."""
    return {
        "version": package,
        "results": found.results,
        "task_hashes": found.hashes,
        "prompts": found.prompts,
        "task_versions": found.versions,
    }


def _write(draft: Draft, found: Package, judged: Sequence[Judged]) -> None:
    write_predictions(draft.folder / FILE_NAME, judged)
    (draft.folder / OWN_FILES).mkdir()
    for path in found.files:
        shutil.copy(path, draft.folder / OWN_FILES)
    draft.counts.update(answered=len(judged), empty=sum(not each.text.strip() for each in judged))


def _unreadable(
    project: Project, benchmark: str, tasks: LocalTasks, journal: Journal
) -> dict[str, str]:
    """Clips that could not be read with their reasons; InputError if there are too many."""
    settings = project.experiment.recipes[benchmark].frames
    assert isinstance(settings, VideoFiles)  # the model asks for an adapter trained on videos
    clips = {table.name: [item.clip for item in table.items] for table in tasks.tables}
    reasons = {clips[row.task][row.doc]: str(row.unreadable) for row in journal.unreadable}
    known = len({clip for names in clips.values() for clip in names})
    if len(reasons) > settings.allow_missing * known:
        raise InputError(
            f"{next(iter(reasons.values()))} ({len(reasons)} of {known} clips cannot be read, "
            f"allow_missing = {settings.allow_missing:g})"
        )
    return reasons
