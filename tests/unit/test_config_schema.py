"""The committed JSON Schemas are those of the models, and the committed files obey them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lynx.config.schema import schemas, write_schemas
from lynx.config.yaml_files import read_mapping
from tests.command_line import call
from tests.unit.config_copy import ROOT

FOLDER = Path("config/schema")
FOLDERS = ("benchmarks", "recipes", "scales")
# What stands in these folders, so that a file that is added is held to its schema too.
FILES = {
    "config.json": ["config/config.yaml"],
    "site.json": ["config/site.yaml"],
    "variants.json": ["config/variants.yaml"],
    "published.json": ["config/published.yaml"],
    **{
        f"{each[:-1]}.json": [
            f"config/{each}/{path.name}" for path in sorted((ROOT / "config" / each).iterdir())
        ]
        for each in FOLDERS
    },
}
SHIPPED = {
    "config/scales": {"demo", "0.5b", "7b"},
    "config/recipes": {"demo", "paper", "released"},
    "config/benchmarks": {
        *("avqa", "avsd", "egoexo", "music_avqa", "music_avqa_original", "scanqa", "sqa3d"),
        *("llava_video", "videomme", "videomme_subtitles", "mvbench", "mlvu"),
    },
}


def errors(schema: dict[str, Any], data: object) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(data)]


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_no_drift(tmp_path: Path) -> None:
    write_schemas(tmp_path)
    assert texts(ROOT / FOLDER) == texts(tmp_path), "write them anew with `lynx schema`"


@pytest.mark.parametrize("folder", ["file", "file/schema"])
def test_a_file_in_the_folder_s_place_is_a_sentence(
    folder: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    asked = call(monkeypatch, capsys, "schema", "--folder", folder)
    assert (asked.code, asked.said) == (
        2,
        f"lynx: --folder {folder}: found a file in its place, expected a folder or nothing; name "
        "another folder for the schemas",
    )


@pytest.mark.parametrize("name", FILES)
def test_committed_files_obey(name: str) -> None:
    schema = json.loads((ROOT / FOLDER / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    for path in FILES[name]:
        assert errors(schema, read_mapping(ROOT, path)) == []


def test_every_shipped_file_is_covered() -> None:
    covered = {path for paths in FILES.values() for path in paths}
    for folder, names in SHIPPED.items():
        assert {f"{folder}/{name}.yaml" for name in names} <= covered
    assert {path.rpartition(".")[2] for path in covered} == {"yaml"}, "another ending is not read"


def test_every_folder_has_its_schema() -> None:
    assert {path.name for path in (ROOT / FOLDER).iterdir()} == set(FILES)
    folders = {path.name for path in (ROOT / "config").iterdir() if path.is_dir()}
    assert folders == {*FOLDERS, Path(FOLDER).name}


def test_recipe_schema_refuses_what_no_recipe_has() -> None:
    schema = schemas()["recipe.json"]
    data = read_mapping(ROOT, "config/recipes/demo.yaml")
    optimizer = data["align"]["3d"]["demo"]["optimizer"]  # which others are, by an alias
    data["align"]["3d"]["demo"]["optimizer"] = {**optimizer, "lerning_rate": 1e-4}
    data["sft"]["sqa3d"]["demo"] = {"view": {"frames": 0}}
    assert sorted(errors(schema, data)) == [
        "0 is less than or equal to the minimum of 0",
        "Additional properties are not allowed ('lerning_rate' was unexpected)",
    ]
