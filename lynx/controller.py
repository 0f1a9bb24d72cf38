"""The Snakemake process that runs the DAG, and what one that was killed has left behind.

A controller signs a file in `work/controllers` and keeps it locked while it runs. A signed file
that nobody locks belongs to one that was killed: its Snakemake locks stay for ever and what it
started goes on. `take_over` clears the first, and refuses to start beside the second.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from lynx.artifacts.owner import ASKED_WITHIN, Owner, try_lock
from lynx.errors import InputError

FOLDER = Path("work/controllers")
SNAKEMAKE_LOCKS = Path(".snakemake/locks")
TO_SLURM = ".slurm"  # ends the name of the file of one that sends its jobs there
_held: list[IO[str]] = []  # open, so locked, as long as this process lives


@dataclass(frozen=True)
class Orphan:
    """A job that goes on after the controller that started it."""

    name: str
    """What it is: `Slurm job 12 (rule_align...)` or `process 77 (lynx align ...)`."""
    remedy: str
    """The command that ends it."""


def enter(root: Path) -> None:
    """`take_over`, as the Snakefile calls it: says what was found, or stops Snakemake with it."""
    try:
        found = take_over(root)
    except InputError as error:
        # Only Snakemake calls this, and it prints no traceback for its own error.
        from snakemake.exceptions import WorkflowError  # type: ignore[import-untyped]

        raise WorkflowError(str(error)) from None
    if found:
        print(f"lynx: {found}", file=sys.stderr)


def sign(root: Path, to_slurm: bool) -> None:
    """Say that this process runs the DAG below `root`, until it ends; where its jobs go, too."""
    owner = Owner.here()
    path = root.resolve() / FOLDER / f"{owner.host}-{owner.pid}{TO_SLURM if to_slurm else ''}"
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = path.open("w", encoding="utf-8")
    try_lock(stream, path)
    stream.write(owner.dump())
    stream.flush()
    _held.append(stream)
    atexit.register(path.unlink, missing_ok=True)


def take_over(root: Path) -> str | None:
    """Make way for a controller below `root`; gives a sentence about what was found, if anything.

    A living controller is only named: Snakemake's own locks keep two apart that want the same
    files. Raises `InputError` while anything that a killed one has started still runs, and about
    one on another host that may be alive.
    """
    dead: list[tuple[Path, Owner]] = []
    for path, owner, alive in _signed(root / FOLDER):
        if alive:
            return f"{owner} runs this workflow too"
        dead.append((path, owner))
    if not dead:
        return None
    for path, owner in dead:
        _require_same_host(root, path, owner)
    names = ", ".join(str(owner) for _, owner in dead)
    jobs = slurm_orphans(root) if any(path.suffix == TO_SLURM for path, _ in dead) else {}
    orphans = [*jobs.values(), *local_orphans(root, set(jobs))]
    if orphans:
        raise InputError(
            f"{root / FOLDER}: {names} ran this workflow and was killed, but what it started still "
            f"runs: {', '.join(orphan.name for orphan in orphans)}; wait for it or end it "
            f"({'; '.join(f'`{orphan.remedy}`' for orphan in orphans)}), then run the same command "
            "again"
        )
    locks = list((root / SNAKEMAKE_LOCKS).glob("*.lock"))
    for stale in (*locks, *(path for path, _ in dead)):
        stale.unlink(missing_ok=True)
    if not locks:
        return None
    return f"{names} ran this workflow and was killed; its locks are removed, nothing of it runs"


def _signed(folder: Path) -> Iterator[tuple[Path, Owner, bool]]:
    """Each signed file with its owner, and whether that one lives."""
    for path in sorted(folder.glob("*")):
        try:
            with path.open("r+", encoding="utf-8") as stream:
                alive = not try_lock(stream, path)
                owner = Owner.parse(stream.read())
        except FileNotFoundError:  # it has just ended
            continue
        if owner is not None:
            yield path, owner, alive


def _require_same_host(root: Path, path: Path, owner: Owner) -> None:
    """A lock that shows as free proves nothing about another host: its file system may differ."""
    if owner.host == Owner.here().host or not any((root / SNAKEMAKE_LOCKS).glob("*.lock")):
        return
    raise InputError(
        f"{path}: {owner} ran this workflow and has not said that it ended, which cannot be seen "
        f"from here; run the command on {owner.host}, or delete this file if that process is gone"
    )


def slurm_orphans(root: Path) -> dict[str, Orphan]:
    """Jobs of this user, by number, that Slurm runs or holds with `root` as their folder.

    Raises `InputError` where Slurm does not answer: nobody knows what runs then.
    """
    command = ["squeue", "--me", "--noheader", "--format", "%i|%T|%k|%Z"]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=ASKED_WITHIN, check=True
        )
    except (OSError, subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = str(getattr(error, "stderr", None) or error).strip()
        raise InputError(
            f"squeue: gives no answer ({said}), expected the list of jobs, of which some may still "
            "write here; run the same command again when Slurm answers"
        ) from None
    found = {}
    for line in asked.stdout.splitlines():
        job, state, comment, folder = line.split("|", 3)
        if job != os.environ.get("SLURM_JOB_ID") and Path(folder).resolve() == root.resolve():
            found[job] = Orphan(f"Slurm job {job} ({comment}, {state})", f"scancel {job}")
    return found


def local_orphans(root: Path, jobs: Collection[str]) -> list[Orphan]:
    """Processes of this machine that are a rule's `lynx` command in `root`, outside these jobs."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "environ"]):
        words, folder = process.info["cmdline"] or [], process.info["cwd"]
        if "--log" not in words or not folder or Path(folder) != root.resolve():
            continue
        if (process.info["environ"] or {}).get("SLURM_JOB_ID") in jobs:
            continue
        start = words.index("--log")
        if Path(words[start - 1]).name in ("lynx", "cli.py", "lynx.cli"):
            said = " ".join(["lynx", *words[start + 2 : start + 5]])
            found.append(Orphan(f"process {process.pid} ({said})", f"kill {process.pid}"))
    return found
