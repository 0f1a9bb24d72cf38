"""What the ledger asks of DVC, through its Python API: one lock file written, one error said."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lynx.errors import InputError

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.stage import PipelineStage


@contextlib.contextmanager
def ledger_repo(root: Path) -> Iterator[Repo]:
    """The DVC repository at `root`, entered; what DVC refuses becomes an InputError."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    logging.getLogger("dvc").propagate = False  # it has handlers of its own
    with contextlib.chdir(root):
        try:
            with Repo(".") as repo:
                yield repo
        except DvcException as error:
            said = " ".join(str(error).split())
            raise InputError(
                f"dvc: {said}; nothing was recorded or taken as restored, so mend that and run the "
                "same command again"
            ) from error


def commit(repo: Repo, names: Sequence[str]) -> None:
    """Take what lies in the workspace as the outputs of these stages, in one writing of the lock.

    `dvc commit` does the same but writes the lock file once for each stage that it is given.
    """
    # Without links the cache holds copies, and what lies in the workspace is left untouched.
    links = bool(repo.config["cache"].get("type"))
    with repo.lock:
        stages = _stages(repo, names)
        for stage in stages:
            stage.save()
            stage.commit(relink=links)
        if stages:
            stages[0].dvcfile.dump_stages(stages, update_pipeline=False)


def changed(repo: Repo, names: Sequence[str]) -> set[str]:
    """Those of the stages that are not, or not so, in the lock file."""
    with repo.lock:
        return {stage.name for stage in _stages(repo, names) if stage.changed()}


def _stages(repo: Repo, names: Sequence[str]) -> list[PipelineStage]:
    """DVC's stages of these names: from its index, which reads the files once for all of them."""
    wanted = set(names)
    return [stage for stage in repo.index.stages if getattr(stage, "name", None) in wanted]


def fetch_into_workspace(repo: Repo, names: Sequence[str], *, remote: bool) -> None:
    """Bring the outputs of stages from the remote, or from the cache alone, into the workspace.

    `dvc pull` does the same but reads all of `dvc.yaml` again for each stage that it is given.
    """
    with repo.lock:
        stages = _stages(repo, names)
        if remote and repo.config["core"].get("remote"):
            wanted = {
                each
                for stage in stages
                for objects in stage.get_used_objs().values()
                for each in objects
            }
            repo.cloud.pull(wanted)
        for stage in stages:
            for out in stage.outs:
                out.checkout()


def object_path(repo: Repo, digest: str) -> Path:
    """Where the cache keeps the bytes of an md5; of a folder's listing it ends in `.dir`."""
    return Path(repo.cache.local.oid_to_path(digest))
