"""Jobs of Snakemake as stages of the ledger: one for each published artefact.

What is made straight from raw data of the site (tables of questions, frames) is held by its
manifest alone, a checked inventory of names, sizes and hashes: licensed data enter no DVC cache and
are never pushed. What is made from a rendered world is an artefact like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from lynx.artifacts.chain import WORLD_STAGE
from lynx.artifacts.hashing import hash_data
from lynx.artifacts.manifest import MANIFEST_NAME
from lynx.artifacts.verify import RAW_STAGES
from lynx.config.decided import MEASURES
from lynx.errors import InputError
from lynx.ledger.jobs import Job


@dataclass(frozen=True)
class Stage:
    """One stage of `dvc.yaml`; all paths are relative to the project's folder.

    `targets` are asked of Snakemake. `artefacts` are folders with a manifest, `small` files that
    stay in Git, and `inventories` the manifests that stand for what is never pushed.
    """

    name: str
    targets: tuple[str, ...]
    deps: tuple[str, ...]
    artefacts: tuple[str, ...]
    inventories: tuple[str, ...]
    small: tuple[str, ...]
    settings: str

    @property
    def manifests(self) -> tuple[str, ...]:
        """Those of its artefacts, with files or without."""
        whole = tuple(f"{folder}/{MANIFEST_NAME}" for folder in self.artefacts)
        return (*whole, *self.inventories)

    @property
    def scores(self) -> tuple[str, ...]:
        """Small files with numbers of a run or of the base, which `lynx verify` knows too."""
        return tuple(name for name in self.small if PurePosixPath(name).suffix == ".json")

    @property
    def outs(self) -> tuple[str, ...]:
        """Every out, of whatever kind."""
        return (*self.artefacts, *self.inventories, *self.small)


def stages_of(jobs: Sequence[Job]) -> tuple[Stage, ...]:
    """The stages of a job list, parents before what is made from them."""
    makers = {output: job for job in jobs for output in job.outputs}
    grouped: dict[str, list[Job]] = {}
    for job in _parents_first(jobs, makers):
        grouped.setdefault(_stage_name(job), []).append(job)
    return tuple(_stage(name, members, makers) for name, members in grouped.items())


def _parents_first(jobs: Sequence[Job], makers: dict[str, Job]) -> Iterable[Job]:
    """Each job after those whose outputs it reads, otherwise in the given order."""
    placed: dict[Job, None] = {}

    def place(job: Job) -> None:
        if job not in placed:
            for name in job.inputs:
                if name in makers:
                    place(makers[name])
            placed[job] = None

    for job in jobs:
        place(job)
    return placed


def _stage_name(job: Job) -> str:
    """`sft-lynx-scanqa-seed0`: the folder below `runs/<scale>`, or what the result is about."""
    parts = PurePosixPath(job.outputs[0]).parent.parts
    if job.rule in ("seeds", "curve"):
        return "tables"
    if job.rule in MEASURES:  # results/<scale>/<rule>.json
        return job.rule
    if job.rule == "headline":
        return f"headline-{parts[-1]}"
    if job.rule in ("predict", "score"):  # runs/<scale>/predictions/... and results/<scale>/...
        return "-".join(("evaluate", *parts[-3:]))
    return "-".join(parts[2:])


def _stage(name: str, members: Sequence[Job], makers: dict[str, Job]) -> Stage:
    outputs = [output for job in members for output in job.outputs]
    read = {name for job in members for name in job.inputs}
    folders, inventories, small = [], [], []
    for output in outputs:
        path = PurePosixPath(output)
        if path.name != MANIFEST_NAME:
            small.append(output)
        elif _holds_raw_data(makers[output], makers):
            inventories.append(output)
        else:
            folders.append(path.parent.as_posix())
    # Snakemake makes what a target needs, so the manifests within one stage need no naming.
    last = [output for output in outputs if output not in read]
    if not last:
        raise InputError(f"dvc.yaml: stage {name} would make only what it reads itself; report it")
    return Stage(
        name=name,
        targets=tuple(sorted(last)),
        # Raw data and base models are no dependencies: their inventories are, and where only
        # results were restored they need not be there.
        deps=tuple(sorted(each for each in read if each in makers and each not in outputs)),
        artefacts=tuple(sorted(folders)),
        inventories=tuple(sorted(inventories)),
        small=tuple(sorted(small)),
        settings=hash_data(sorted([*job.outputs, job.rule, job.settings] for job in members)),
    )


def _holds_raw_data(job: Job, makers: dict[str, Job]) -> bool:
    """Whether an artefact holds parts of raw data of the site."""
    return job.rule in RAW_STAGES and not any(
        parent.rule == WORLD_STAGE for parent in _ancestors(job, makers)
    )


def _ancestors(job: Job, makers: dict[str, Job]) -> Iterable[Job]:
    for name in job.inputs:
        if name in makers:
            yield makers[name]
            yield from _ancestors(makers[name], makers)
