"""lmms-eval's tasks on a folder of this machine: the package's own, but for where the data are.

A written task includes the package's YAML, so that prompts, parsing and scoring are the package's,
and reads the rows from files of the folder. lmms-eval looks for videos below `HF_HOME`: `prepare`
makes a folder for that variable, with links to where the videos lie.

A name must not be the package's own, which would win over it; hence `videomme_local`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.abc import Traversable
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from lynx.errors import InputError

PACKAGE, MODULE = "lmms-eval", "lmms_eval"
SUFFIX = "_local"
TASKS, HOME = "tasks", "home"
"""Folders that are written: what `--include_path` and `HF_HOME` point at."""


@dataclass(frozen=True)
class Item:
    """One row of a task, in the order of its table."""

    id: str
    clip: str
    group: str


@dataclass(frozen=True)
class Table:
    """Where a task's rows are read from, and what they ask about."""

    task: str
    """The package's name of the task."""
    config: str
    """The package's file, below its folder of tasks."""
    paths: tuple[Path, ...]
    items: tuple[Item, ...]
    split: str
    changes: Mapping[str, object] = field(default_factory=dict)
    """Further keys of the written task."""

    @property
    def name(self) -> str:
        """The name under which lmms-eval runs it."""
        return f"{self.task}{SUFFIX}"


@dataclass(frozen=True)
class LocalTasks:
    """The tasks of one benchmark on a folder, with the links that their videos are found by."""

    tables: tuple[Table, ...]
    links: Mapping[str, Path]
    """Path below `HF_HOME` -> the folder that it stands for."""
    absent: tuple[str, ...] = ()
    """Tasks of the split whose annotation is not in the folder, or holds nothing."""


def prepare(found: LocalTasks, folder: Path) -> None:
    """Write the tasks and the links below `folder`, instead of those that stand there.

    Tasks of other names are left alone.

    Raises:
        InputError: lmms-eval is not installed, or something else stands in the place of a link.
    """
    (folder / TASKS).mkdir(parents=True, exist_ok=True)
    for old in (folder / TASKS).glob(f"*{SUFFIX}.yaml"):
        old.unlink()
    for table in found.tables:
        text = yaml.safe_dump(_config(table), sort_keys=False, allow_unicode=True)
        # A function is named by a tag of lmms-eval's own, which no dumper knows.
        functions = "".join(f"{key}: !function {name}\n" for key, name in table.changes.items())
        path = folder / TASKS / f"{table.name}.yaml"
        path.write_text(text + functions, encoding="utf-8")
    for name, target in found.links.items():
        link = folder / HOME / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.exists() and not link.is_symlink():
            raise InputError(
                f"{link}: found a file or folder, expected nothing or a link because the videos "
                "are linked there; choose another folder for the tasks"
            )
        link.unlink(missing_ok=True)
        link.symlink_to(target.resolve(), target_is_directory=True)


def _config(table: Table) -> dict[str, Any]:
    kind = "parquet" if table.paths[0].suffix == ".parquet" else "json"
    names = [str(path.resolve()) for path in table.paths]
    return {
        "include": str(package_tasks() / table.config),
        "task": table.name,
        "dataset_path": kind,
        "dataset_kwargs": {"data_files": {table.split: names}},
    }


def package_version() -> str:
    """The installed lmms-eval's version; InputError where none is installed."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError as error:
        raise _not_installed() from error


def package_tasks() -> Traversable:
    """The installed lmms-eval's folder of tasks; InputError where none is installed."""
    try:
        return files(MODULE) / "tasks"
    except ModuleNotFoundError as error:
        raise _not_installed() from error


def _not_installed() -> InputError:
    return InputError(
        f"the Python package {PACKAGE}: not installed, expected it because tasks are made of its "
        "own; run `make setup`, or envs/cpu.post-deploy.sh in a conda environment"
    )


def package_module(benchmark: str) -> ModuleType:
    """A benchmark's functions as the package has them, loaded from its file as lmms-eval does."""
    path = str(package_tasks() / benchmark / "utils.py")
    spec = spec_from_file_location(f"lmms_eval_{benchmark}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def require_folder(root: Path, name: str, advice: str) -> Path:
    """A folder below the data's; InputError with the advice where it is absent."""
    if not (root / name).is_dir():
        raise InputError(f"{root / name}: found no such folder, expected one; {advice}")
    return root / name
