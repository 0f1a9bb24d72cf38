"""lmms-eval run on local tasks, without a network, in a process of its own.

The process is the command that a user would type. It must be one of its own because lmms-eval and
the hub's libraries read `HF_HOME` and the offline switches when they are imported.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lynx.errors import InputError
from lynx.evaluate.lmms.local_tasks import HOME, TASKS, Table

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_EVALUATE_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def environment(folder: Path) -> dict[str, str]:
    """What has to stand in the environment so that the tasks in `folder` are found offline."""
    return {**OFFLINE, "HF_HOME": str((folder / HOME).resolve())}


def command(
    model_args: Mapping[str, str],
    tables: Sequence[Table],
    folder: Path,
    output: Path,
    questions_per_batch: int,
) -> list[str]:
    """The arguments of `python -m`; tables of figures are printed, every single one is not."""
    return [
        *("lmms_eval", "--model", "lynx"),
        *("--model_args", ",".join(f"{key}={value}" for key, value in model_args.items())),
        *("--include_path", str(folder / TASKS)),
        *("--tasks", ",".join(table.name for table in tables)),
        *("--output_path", str(output)),
        *("--batch_size", str(questions_per_batch), "--verbosity", "WARNING", "--log_samples"),
    ]


def model_arguments(
    adapter: Path, benchmark: str, files: Sequence[Path], overrides: Mapping[str, object]
) -> dict[str, str]:
    """The model arguments for an adapter of this project, for a process that starts in its root.

    Raises:
        InputError: a path holds a character that lmms-eval gives a meaning.
    """
    found = {"adapter": adapter.as_posix(), "benchmark": benchmark}
    if files:
        found["config"] = ":".join(path.as_posix() for path in files)
    if overrides:
        found["set"] = json.dumps(overrides, separators=(",", ":"))
    for key in ("adapter", "config"):
        if bad := set(found.get(key, "")) & set(",'\"[]{}"):
            raise InputError(
                f"{found[key]}: found {sorted(bad)[0]!r} in the path, expected none because "
                "lmms-eval separates its arguments by it; rename the file or folder"
            )
    return found


def run(arguments: Sequence[str], folder: Path, root: Path) -> None:
    """Run lmms-eval from the project's root; what it prints goes where this process prints.

    Raises:
        InputError: it ended with an error.
    """
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=root,
        env={**os.environ, **environment(folder)},
        check=False,
    )
    if done.returncode:
        raise InputError(
            f"lmms-eval: ended with exit code {done.returncode}, expected 0; its messages above "
            "say what went wrong"
        )


def usage(tables: Sequence[Table], folder: Path) -> str:
    """The command of a shell that runs the tasks in `folder` with an adapter yet to be named."""
    model = {"adapter": "runs/<scale>/sft/<variant>/<benchmark>/seed<k>"}
    words = command(model, tables, folder, folder / "output", 1)
    settings = [f"{key}={shlex.quote(value)}" for key, value in environment(folder).items()]
    return " ".join([*settings, "python -m", *(shlex.quote(word) for word in words)])
