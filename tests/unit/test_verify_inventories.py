"""`lynx verify` where licensed raw data are known by their inventories alone, as in a clone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from lynx.artifacts.manifest import MANIFEST_NAME, FileEntry, read_manifest
from lynx.artifacts.verify import require_stage
from lynx.errors import InputError
from lynx.report.verification import as_dict, lines, verify
from tests.unit.made_runs import ALIGN, CHOSEN, DATA, RUNS, SCORE, make_run, project_at

FRAMES = RUNS / "frames/music"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of which nothing was rendered: tables and frames hold the site's own raw data."""
    from tests.unit.config_copy import copy_config

    root = tmp_path_factory.mktemp("made") / "run"
    scale = copy_config(root) / "config/scales/demo.yaml"
    settings = {**yaml.safe_load(scale.read_text(encoding="utf-8")), "worlds": {}}
    scale.write_text(yaml.safe_dump(settings), encoding="utf-8")
    (root / "models/demo").mkdir(parents=True)
    (root / "models/demo/model.safetensors").write_bytes(b"weights")
    assert not project_at(root).experiment.synthetic
    make_run(root)
    return root


@pytest.fixture
def clone(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run with the manifests of tables and frames alone, and the working folder."""
    copy = Path(shutil.copytree(ran, tmp_path / "run"))
    monkeypatch.chdir(copy)
    for folder in (DATA, FRAMES):
        for each in files_of(folder):
            (folder / each.path).unlink()
    return copy


def files_of(folder: Path) -> tuple[FileEntry, ...]:
    return read_manifest(folder).files


def found(*, deep: bool = False) -> list[str]:
    links = verify([SCORE], deep=deep, overrides=CHOSEN)
    return [problem for link in links for problem in link.problems]


@pytest.mark.parametrize("deep", [False, True])
def test_a_clone_is_verified_down_to_the_inventories(clone: Path, deep: bool) -> None:
    links = verify([SCORE], deep=deep, overrides=CHOSEN)
    told = list(lines(links))
    assert told[0] == f"{DATA}: data, inventory of 2 files: raw data, not here"
    assert f"{FRAMES}: frames, inventory of 1 file: raw data, not here" in told
    assert f"{ALIGN}: align, 1 file as published" in told
    again = f"; not computed again, as the questions of {DATA} are not here"
    assert told[-2] == f"{SCORE}: score, unchanged{again if deep else ''}"
    assert told[-1] == (
        "12 artefacts, 0 problems; of 2 the raw files are not here, only their inventories"
    )
    shown = {item["path"]: item["inventory"] for item in as_dict(links)["artefacts"]}
    assert {path for path, inventory in shown.items() if inventory} == {str(DATA), str(FRAMES)}


def test_with_the_raw_data_nothing_is_said_of_inventories(
    ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ran)
    links = verify([SCORE], deep=True, overrides=CHOSEN)
    assert list(lines(links))[-1] == "12 artefacts, 0 problems"
    assert not any(link.notes for link in links)


def test_an_artefact_that_is_missing_is_no_inventory(clone: Path) -> None:
    (ALIGN / "content.txt").unlink()
    assert found() == [f"{ALIGN}/content.txt: missing, expected 5 bytes; run its rule again"]


def test_one_of_several_raw_files_that_is_missing(clone: Path, ran: Path) -> None:
    """Who has the others has lost it."""
    shutil.copy(ran / DATA / "content.txt", clone / DATA)
    lost = next(each for each in files_of(DATA) if each.path != "content.txt")
    assert found() == [
        f"{DATA}/{lost.path}: missing, expected {lost.bytes} bytes; run its rule again"
    ]


def test_an_inventory_that_was_edited(clone: Path) -> None:
    path = DATA / MANIFEST_NAME
    data = json.loads(path.read_text(encoding="utf-8"))
    data["files"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(data), encoding="utf-8")
    assert found() == [
        f"{path}: the file list does not hash to its own content field; the manifest was edited, "
        "so run the rule that makes it again"
    ]


def test_rendered_data_that_are_missing_are_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They need no licence, so the ledger has them."""
    make_run(tmp_path)
    monkeypatch.chdir(tmp_path)
    lost = {folder / each.path: each for folder in (DATA, FRAMES) for each in files_of(folder)}
    for path in lost:
        path.unlink()
    assert found() == [
        f"{path}: missing, expected {each.bytes} bytes; run its rule again"
        for path, each in lost.items()
    ]


def test_a_stage_that_needs_the_files_says_how_to_make_them(clone: Path) -> None:
    with pytest.raises(InputError) as caught:
        require_stage(DATA, "data")
    assert str(caught.value) == (
        f"{DATA}: its files are not here (2 in all), only the inventory of them; put the raw data "
        "where config/site.yaml says and make them again with `snakemake --profile local "
        f"--forcerun data -- {DATA}/manifest.json`"
    )
