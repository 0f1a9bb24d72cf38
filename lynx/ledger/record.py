"""`lynx ledger record`: what Snakemake has made goes into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lynx.artifacts.verify import verify_files
from lynx.errors import InputError
from lynx.ledger.dvc_calls import changed, commit, ledger_repo
from lynx.ledger.render import SETTINGS_STAGE, check_ledger
from lynx.ledger.snakemake_calls import up_to_date
from lynx.report.verification import verify


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
    is recorded. Raises InputError if one differs, or if there is nothing to record.
    """
    stages = check_ledger(root, files)
    current = up_to_date(root, files)
    ready = [stage for stage in stages if current.issuperset((*stage.manifests, *stage.small))]
    if not ready:
        raise InputError(
            f"{root / 'runs'}: no stage of dvc.yaml is up to date, so there is nothing to record; "
            "run `snakemake --profile local` first"
        )
    names = [stage.name for stage in ready]
    with ledger_repo(root) as repo:
        new = changed(repo, [SETTINGS_STAGE, *names])
        for stage in ready:
            if stage.name in new:
                for folder in stage.artefacts:
                    verify_files(Path(folder), deep=True)
        require_true([name for stage in ready if stage.name in new for name in stage.scores], files)
        commit(repo, [name for name in (SETTINGS_STAGE, *names) if name in new])
    new.discard(SETTINGS_STAGE)
    return Recorded(len(new), len(names) - len(new), len(stages) - len(names))


def require_true(scores: Sequence[str], files: Sequence[Path]) -> None:
    """What `lynx verify` says of results: nothing, or InputError. Run in the project's folder."""
    if not scores:
        return
    for link in verify(list(map(Path, scores)), deep=False, root=Path(), files=files):
        for problem in link.problems:
            raise InputError(problem)
