"""`lynx train-base --target`: any folder may be named; what is something else is not removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lynx.artifacts.publish import publishing
from lynx.demo import stage
from lynx.errors import InputError
from lynx.project import Project
from tests.project_copy import load
from tests.unit.scores import bare_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A bare project in whose folder a base is "trained" by writing one file."""
    root = bare_project(tmp_path / "project")
    monkeypatch.chdir(root)

    def build(folder: Path, state: Path, *_: object) -> None:
        assert state.is_dir()
        (folder / "config.json").write_text("{}", encoding="utf-8")

    monkeypatch.setattr("lynx.demo.base.build.build_base", build)
    return load(Path())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


MADE = ["config.json", "manifest.json"]


@pytest.mark.parametrize("where", ["models/new", "../beside", "{tmp}/anywhere/base"])
def test_a_new_folder_an_empty_one_and_a_base_made_before(
    project: Project, tmp_path: Path, where: str
) -> None:
    target = Path(where.format(tmp=tmp_path))
    stage.run_train_base(project, target)
    assert names(target) == MADE
    (target / "config.json").write_text("old", encoding="utf-8")
    stage.run_train_base(project, target)
    assert (target / "config.json").read_text(encoding="utf-8") == "{}"
    for path in target.iterdir():
        path.unlink()
    stage.run_train_base(project, target)
    assert names(target) == MADE


def refused(project: Project, target: Path) -> None:
    with pytest.raises(InputError) as caught:
        stage.run_train_base(project, target)
    assert str(caught.value) == (
        f"--target {target}: found something else than a base made by this command, expected one "
        "or a new or empty folder, since what is there would be removed; name another"
    )


def test_what_holds_something_else_stays(project: Project, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("years", encoding="utf-8")
    refused(project, home)
    refused(project, home / "thesis.txt")
    assert (home / "thesis.txt").read_text(encoding="utf-8") == "years"
    other = tmp_path / "sft"
    with publishing(
        other, stage="sft", version=1, settings={}, parents=(), seed=0, device="cpu"
    ) as draft:
        (draft.folder / "adapter").write_text("trained", encoding="utf-8")
    refused(project, other)
    refused(project, other / "manifest.json")
    assert names(other) == ["adapter", "manifest.json"]
    for folder in (Path(), Path("/")):
        refused(project, folder)
