"""Fixtures that several test folders share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests.command_line import Outcome, call

# How long an example takes says something of the machine alone.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a slow test come first, so that the workers end at about the same time."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random base folder, read-only by convention."""
    from tests.tiny_base import write_tiny_base

    return write_tiny_base(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny project whose lynx run of ScanQA has been predicted; read-only by convention."""
    from tests.project_copy import run_chain, tiny_project

    root = tiny_project(tmp_path_factory.mktemp("project") / "finished")
    run_chain(root)
    return root


@pytest.fixture
def root(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project that the test may spoil."""
    from tests.project_copy import copy_project

    return copy_project(finished, tmp_path / "project")


@pytest.fixture
def lynx(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """The command `lynx`, called in this process from the root of the test's own copy."""
    monkeypatch.chdir(root)

    def run(*arguments: str) -> Outcome:
        return call(monkeypatch, capsys, *arguments)

    return run
