"""What disturbed runs are compared with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.project_copy import copy_project, environment


@pytest.fixture(scope="session")
def undisturbed(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A copy of the finished project in which a command ran alone: made once, read-only."""
    made: dict[tuple[str, ...], Path] = {}

    def project(*arguments: str) -> Path:
        if arguments not in made:
            root = copy_project(finished, tmp_path_factory.mktemp("undisturbed") / "project")
            command = [sys.executable, "-m", "lynx.cli", *arguments]
            done = subprocess.run(
                command, cwd=root, env=environment(), capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            made[arguments] = root
        return made[arguments]

    return project
