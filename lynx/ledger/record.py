"""`lynx ledger record`, and the same at the end of a run: what Snakemake made enters the ledger."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lynx.artifacts.verify import verify_files
from lynx.errors import InputError
from lynx.ledger.dvc_calls import changed, commit, ledger_repo
from lynx.ledger.jobs import done_jobs
from lynx.ledger.recorded import LOCK
from lynx.ledger.render import SETTINGS_STAGE, check_ledger, rendered_stages
from lynx.ledger.snakemake_calls import up_to_date
from lynx.ledger.stages import Stage
from lynx.report.verification import verify

if TYPE_CHECKING:
    from snakemake.dag import DAG  # type: ignore[import-untyped]


@dataclass(frozen=True)
class Recorded:
    """How many stages were recorded now, were so already, and have nothing to record yet."""

    new: int
    same: int
    absent: int


def record(root: Path, files: Sequence[Path] = ()) -> Recorded:
    """Record every stage whose results are there and which Snakemake would not make again.

    An artefact that is new in the ledger is hashed against its manifest first, and a score, a
    headline or a measure is held against what it was made from, so that nothing damaged or edited
    is recorded. Raises InputError if one differs. The first call begins the ledger, whether there
    is a result or not: from then on `record_run` adds to it.
    """
    stages = check_ledger(root, files)
    ready = _complete(stages, up_to_date(root, files))
    new = _record(root, ready, (SETTINGS_STAGE,), files) - {SETTINGS_STAGE}
    return Recorded(len(new), len(ready) - len(new), len(stages) - len(ready))


def record_run(root: Path, dag: DAG) -> None:
    """Record what a run of Snakemake that ended well has made or found made, and say so.

    Where no ledger was begun (no `dvc.lock`) nothing happens, nor where DVC itself runs Snakemake:
    it records the stage then. Stages that are not those of `dvc.yaml`, as those of a run with other
    settings, are left out. The results stand whatever the ledger says, so a fault of it is printed
    and ends nothing.
    """
    if not (root / LOCK).is_file() or os.environ.get("DVC_STAGE"):
        return
    try:
        jobs = done_jobs(dag)
        # Snakemake leaves out what it would not need for the target, though it is gone.
        made = {name for job in jobs for name in job.outputs if (root / name).is_file()}
        ready = _complete(rendered_stages(root, jobs), made)
        # DVC's reading of its files takes seconds: not for a run of what is only shown.
        new = _record(root, ready, (), ()) if ready else set()
    except (InputError, OSError) as error:  # such as a full disk below the cache
        print(f"lynx: {LOCK} was left as it is: {error}", file=sys.stderr)
        return
    if new:
        print(f"lynx: {LOCK}: {len(new)} stages recorded", file=sys.stderr)


def _complete(stages: Sequence[Stage], current: Collection[str]) -> list[Stage]:
    """Stages whose results are all among these, and what they were made from: DVC hashes both."""
    return [
        stage for stage in stages if {*stage.manifests, *stage.small, *stage.deps}.issubset(current)
    ]


def _record(
    root: Path, ready: Sequence[Stage], others: Sequence[str], files: Sequence[Path]
) -> set[str]:
    """Check and commit those of the stages that are new or not so in the ledger; their names."""
    with ledger_repo(root) as repo:
        new = changed(repo, [*others, *(stage.name for stage in ready)])
        chosen = [stage for stage in ready if stage.name in new]
        for stage in chosen:
            for folder in stage.artefacts:
                verify_files(Path(folder), deep=True)
        require_true([name for stage in chosen for name in stage.scores], files)
        commit(repo, sorted(new))
    return new


def require_true(scores: Sequence[str], files: Sequence[Path]) -> None:
    """What `lynx verify` says of results: nothing, or InputError. Run in the project's folder."""
    if not scores:
        return
    for link in verify(list(map(Path, scores)), deep=False, root=Path(), files=files):
        for problem in link.problems:
            raise InputError(problem)
