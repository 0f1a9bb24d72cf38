"""Snakemake's own job list: what `dvc.yaml` is rendered from, so that no second list is kept."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lynx.artifacts.hashing import hash_data
from lynx.errors import InputError

if TYPE_CHECKING:
    from snakemake.dag import DAG  # type: ignore[import-untyped]

TARGETS = ("all", "experiments", "analyses")
"""The rules whose jobs the ledger keeps."""
UNCOMPARED = "options"
"""The rule parameter that says how a stage reads its configuration, not what decides it."""


@dataclass(frozen=True)
class Job:
    """One job of the DAG: its files as Snakemake names them, relative to the project's folder."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: str
    """sha256 of the rule's parameters: its slice of the configuration and its stage's version."""


def list_jobs(root: Path, files: Sequence[Path] = ()) -> tuple[Job, ...]:
    """Every job of the targets at `root`, run or not; sorted by first output.

    `files` are laid over `config/config.yaml`. Raises InputError with Snakemake's own sentence
    where it cannot build its DAG.
    """
    from snakemake.api import SnakemakeApi  # type: ignore[import-untyped]
    from snakemake.settings.types import (  # type: ignore[import-untyped]
        ConfigSettings,
        DAGSettings,
        OutputSettings,
        Quietness,
        ResourceSettings,
    )

    root = root.resolve()
    logging.getLogger("snakemake.logging").propagate = False  # it has handlers of its own
    quiet = OutputSettings(quiet={Quietness.ALL}, enable_file_logging=False)
    # The call prints the DAG and leaves it on the workflow: the one public way to it.
    with SnakemakeApi(quiet) as api, contextlib.redirect_stdout(io.StringIO()):
        try:
            workflow = api.workflow(
                resource_settings=ResourceSettings(cores=1),
                config_settings=ConfigSettings(configfiles=[root / name for name in files]),
                snakefile=root / "Snakefile",
                workdir=root,
            )
            workflow.dag(DAGSettings(targets=set(TARGETS), forceall=True)).printd3dag()
            jobs = _read_jobs(workflow._workflow.dag.jobs)
        except Exception as error:
            # Snakemake raises errors of many kinds here: of files, rules and configuration.
            said = " ".join(str(error).split()) or type(error).__name__
            raise InputError(
                f"{root / 'Snakefile'}: Snakemake cannot list its jobs ({said}); mend what "
                f"`snakemake --profile local -n -- {' '.join(TARGETS)}` names"
            ) from error
    return jobs


def done_jobs(dag: DAG) -> tuple[Job, ...]:
    """The jobs of a run that Snakemake would not run again, sorted by first output."""
    return _read_jobs(filter(dag.noneedrun_finished, dag.jobs))


def _read_jobs(jobs: Iterable[object]) -> tuple[Job, ...]:
    """Those that make something, which the job of a target like `all` does not."""
    found = (job for job in map(_read_job, jobs) if job.outputs)
    return tuple(sorted(found, key=lambda job: job.outputs))


def _read_job(job: object) -> Job:
    """A job of Snakemake's DAG as plain data."""
    from snakemake.jobs import Job as SnakemakeJob  # type: ignore[import-untyped]

    assert isinstance(job, SnakemakeJob)
    params: Mapping[str, object] = dict(job.params.items())
    decided = {name: value for name, value in params.items() if name != UNCOMPARED}
    return Job(
        rule=job.rule.name,
        inputs=tuple(sorted(map(str, job.input))),
        outputs=tuple(sorted(map(str, job.output))),
        settings=hash_data(decided),
    )
