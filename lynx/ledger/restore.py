"""`lynx restore`: what the ledger records, back on disk, checked and known to Snakemake."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from lynx.artifacts.manifest import RESTORED_NAME
from lynx.errors import InputError
from lynx.ledger.dvc_calls import fetch_into_workspace, ledger_repo, object_path
from lynx.ledger.recorded import LOCK, Bytes, Entry, read_lock
from lynx.ledger.render import check_ledger
from lynx.ledger.snakemake_calls import touch, up_to_date
from lynx.ledger.stages import Stage


def restore(
    root: Path, names: Sequence[str] = (), *, remote: bool = True, files: Sequence[Path] = ()
) -> int:
    """Bring back the named stages, or all that are recorded; how many there are.

    Pulls (without `remote`, checks out), compares every byte with the ledger, and has Snakemake
    take the result as made. Raises InputError at the first thing that differs; Snakemake then
    knows of nothing that was not checked.
    """
    lock = read_lock(root)
    chosen = _choose(check_ledger(root, files), lock, names)
    for stage in chosen:
        _require_settings(stage, lock[stage.name])
    with ledger_repo(root) as repo:
        fetch_into_workspace(repo, [stage.name for stage in chosen], remote=remote)
        compared = Bytes(Path(), lambda digest: object_path(repo, digest))
        for stage in chosen:
            compared.check(lock[stage.name])
            for name in stage.inventories:
                shutil.copyfile(name, Path(name).with_name(RESTORED_NAME))
    outputs = [name for stage in chosen for name in (*stage.manifests, *stage.small)]
    touch(root, outputs, files)
    if stale := sorted(set(outputs) - up_to_date(root, files)):
        raise InputError(
            f"{stale[0]}: as recorded, but Snakemake would make it again; "
            f"`snakemake --profile local -n -- {stale[0]}` says why"
        )
    return len(chosen)


def _choose(stages: Sequence[Stage], lock: dict[str, Entry], names: Sequence[str]) -> list[Stage]:
    """The stages asked for; without names, all that are recorded."""
    known = {stage.name for stage in stages}
    for name in names:
        if name not in known:
            raise InputError(f"{name}: no stage of dvc.yaml; `dvc stage list` names them all")
        if name not in lock:
            raise InputError(f"{name}: not recorded in {LOCK}, so there is nothing to restore")
    chosen = [stage for stage in stages if stage.name in (names or lock)]
    if not chosen:
        raise InputError(
            f"{LOCK}: records no stage of dvc.yaml, so there is nothing to restore; "
            "run Snakemake and `lynx ledger record` first"
        )
    return chosen


def _require_settings(stage: Stage, entry: Entry) -> None:
    if entry.settings != stage.settings[:16]:
        raise InputError(
            f"{LOCK}: {stage.name} was recorded under other settings than config/ has now; "
            "check out the commit whose results you want, or run Snakemake and "
            "`lynx ledger record`"
        )
