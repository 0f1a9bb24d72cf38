"""What the ledger asks of Snakemake's command line, with the profile that users run it with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lynx.errors import InputError
from lynx.ledger.jobs import TARGETS

PROFILE = "local"
NOTHING_TO_DO = "no update"
"""What the last column of `snakemake --summary` says of an output that would not be made again."""


def up_to_date(root: Path, files: Sequence[Path] = ()) -> set[str]:
    """The outputs of the DAG that are there and that Snakemake would not make again."""
    rows = _snakemake(root, files, "--summary", "--", *TARGETS).splitlines()
    cells = [row.split("\t") for row in rows if "\t" in row][1:]
    return {
        row[0] for row in cells if row[-1].strip() == NOTHING_TO_DO and (root / row[0]).is_file()
    }


def touch(root: Path, targets: Sequence[str], files: Sequence[Path] = ()) -> None:
    """Have Snakemake take `targets`, and what of their making is there, as made just now.

    All of them, those too that look up to date: only a job that it marks as done has the hashes of
    its inputs on record, by which newer files with the same bytes are told from changed ones.
    """
    _snakemake(root, files, "--touch", "--force", "--quiet", "all", "--", *targets)


def _snakemake(root: Path, files: Sequence[Path], *arguments: str) -> str:
    """Its standard output; a failure is an InputError with its last words."""
    config = ("--configfile", *map(str, files)) if files else ()
    command = [sys.executable, "-m", "snakemake", "--profile", PROFILE, *config, *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1].strip()
        raise InputError(
            f"snakemake {' '.join(arguments[:1])}: exit code {done.returncode} ({said}), expected "
            f"0; run `snakemake --profile {PROFILE} -n -- {' '.join(TARGETS)}` to see all of it"
        )
    return done.stdout
