"""`lynx verify` on measures of base and references, of a run made by hand."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lynx.artifacts.manifest import read_manifest
from lynx.artifacts.sealed import sealed_text
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.config.decided import decided, place_of
from lynx.config.inputs import geometry_inputs, stability_inputs
from lynx.errors import InputError
from lynx.report.explanation import explain
from lynx.report.verification import lines, verify
from tests.unit.made_runs import CHOSEN, RUNS, make, project_at

RESULTS = Path("results/demo")
REFERENCE = RUNS / "reference/music"
AGAIN = {kind: f"run the rule {kind} again" for kind in ("geometry", "stability")}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artefacts up to the references of all groups, with both measures."""
    root = tmp_path_factory.mktemp("made") / "run"
    project = project_at(root)
    experiment = project.experiment
    for kind, names in (
        ("geometry", geometry_inputs(experiment)),
        ("stability", stability_inputs(experiment)),
    ):
        folders = [Path(name).parent for name in names]
        for folder in folders:
            make(project, folder, {})
        contents = {each.as_posix(): read_manifest(root / each).content for each in folders}
        path = RESULTS / f"{kind}.json"
        place = place_of(path)
        assert place is not None
        report = {
            "stage": kind,
            "scale": "demo",
            "synthetic": True,
            "gap": 0.87,
            "base": contents.pop((RUNS / "base").as_posix()),
            "parents": contents,
            "stage_version": STAGE_VERSIONS[kind],
            "settings": decided(experiment, place),
        }
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(sealed_text(report), encoding="utf-8")
    return root


@pytest.fixture
def root(measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that the test may spoil, and the working folder."""
    copy = Path(shutil.copytree(measured, tmp_path / "run"))
    monkeypatch.chdir(copy)
    return copy


def found(kind: str, **chosen: object) -> list[str]:
    links = verify([RESULTS / f"{kind}.json"], deep=True, overrides={**CHOSEN, **chosen})
    return [problem for link in links for problem in link.problems]


def rewrite(kind: str, change: Callable[[dict[str, Any]], object]) -> Path:
    """Edit a measure and give it the hash of what then stands in it."""
    path = RESULTS / f"{kind}.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    change(report)
    path.write_text(sealed_text(report), encoding="utf-8")
    return path


def test_a_measure_is_followed_to_the_raw_inventory(root: Path) -> None:
    behind = {RUNS / name for name in ("base", "world/music", "data/music_avqa", "frames/music")}
    for kind, others in (("geometry", behind), ("stability", {*behind, REFERENCE})):
        links = verify([RESULTS / f"{kind}.json"], deep=True, overrides=CHOSEN)
        assert not any(link.problems or link.notes for link in links)
        assert others < {link.path for link in links}
        *_, measure, count = lines(links)
        assert measure == f"results/demo/{kind}.json: {kind}, unchanged"
        assert count == f"{len(links)} artefacts, 0 problems"


@pytest.mark.parametrize("kind", ["geometry", "stability"])
def test_a_hand_edited_measure(root: Path, kind: str) -> None:
    path = RESULTS / f"{kind}.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0.87", "0.97"), encoding="utf-8")
    assert found(kind) == [
        f"{path}: its values do not hash to its own content field; the file was edited, so "
        f"{AGAIN[kind]}"
    ]


def test_a_measure_of_another_reference(root: Path) -> None:
    """And a flipped bit in the one that it is of."""
    content = read_manifest(REFERENCE).content
    path = rewrite("stability", lambda data: data["parents"].update({str(REFERENCE): "0" * 64}))
    assert found("stability") == [
        f"{path}: made from reference 000000000000, but {REFERENCE} is {content[:12]}; "
        f"{AGAIN['stability']}"
    ]
    (REFERENCE / "content.txt").write_text("musik", encoding="utf-8")
    assert any(each.startswith(f"{REFERENCE}/content.txt: sha256 ") for each in found("stability"))


def test_a_measure_of_another_base(root: Path) -> None:
    content = read_manifest(RUNS / "base").content
    path = rewrite("geometry", lambda data: data.update(base="1" * 64))
    assert found("geometry") == [
        f"{path}: made from base 111111111111, but {RUNS}/base is {content[:12]}; "
        f"{AGAIN['geometry']}"
    ]


def test_a_measure_older_than_its_configuration(root: Path) -> None:
    """Each group's number is named; what has no part in it changes nothing."""
    assert found("geometry", overrides={"align.moment_weight": 0.25}) == []
    path = RESULTS / "geometry.json"
    groups = json.loads(path.read_text(encoding="utf-8"))["settings"]["groups"]
    assert len(groups) > 1
    assert found("geometry", overrides={"reference.max_clips": 3}) == [
        f"{path}: settings.groups.{name}.reference.max_clips is "
        f"{settings['reference']['max_clips']} in it, expected 3 from the configuration; "
        f"{AGAIN['geometry']} or restore the configuration"
        for name, settings in groups.items()
    ]


def test_a_measure_of_older_code(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = STAGE_VERSIONS["stability"]
    monkeypatch.setitem(STAGE_VERSIONS, "stability", 9)
    assert found("stability") == [
        f"{RESULTS}/stability.json: made by version {version} of stage stability, the code is at "
        f"version 9; {AGAIN['stability']}"
    ]


def test_a_measure_that_is_not_finite_or_none(root: Path) -> None:
    path = RESULTS / "geometry.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**whole, "gap": math.nan}), encoding="utf-8")
    assert found("geometry") == [
        f"{path}: gap is nan, expected a finite number; {AGAIN['geometry']}"
    ]
    path.write_text(json.dumps({**whole, "parents": []}), encoding="utf-8")
    (sentence,) = found("geometry")
    assert sentence.startswith(f"{path}: parents is not a measure's (")
    path.write_text("[]", encoding="utf-8")
    assert found("geometry") == [f"{path}: found no JSON object; {AGAIN['geometry']}"]
    path.unlink()
    (sentence,) = found("geometry")
    assert sentence.startswith(f"{path}: cannot be read (")


def test_a_parent_outside_the_project(root: Path) -> None:
    path = rewrite("geometry", lambda data: data["parents"].update({"../other": "0"}))
    assert found("geometry") == [
        f"{path}: names parent ../other, expected a folder below the project's root; "
        f"{AGAIN['geometry']}"
    ]


def test_a_snapshot_is_checked_by_itself(root: Path) -> None:
    copy = Path("docs/demo/results/demo/geometry.json")
    copy.parent.mkdir(parents=True)
    shutil.copy(RESULTS / "geometry.json", copy)
    (link,) = verify([copy], deep=True, overrides=CHOSEN)
    assert (link.problems, link.notes) == (
        [],
        ["not below results/, so what it was made from is not known"],
    )


def test_a_measure_is_not_explained(root: Path) -> None:
    path = RESULTS / "geometry.json"
    with pytest.raises(InputError) as caught:
        explain(path, path)
    assert str(caught.value) == (
        f"{path}: found a file, expected a manifest.json, an artefact's folder or a metrics.json; "
        "give one of them"
    )
