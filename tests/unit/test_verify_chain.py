"""`lynx verify` on a run made by hand: what it looks at, and what it says of each thing wrong."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lynx.artifacts.differences import Difference, differences, not_finite
from lynx.artifacts.manifest import MANIFEST_NAME, read_manifest
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.errors import InputError
from lynx.evaluate.metrics_file import read_report, write_report
from lynx.report.verification import as_dict, lines, verify
from tests.unit.made_runs import (
    ALIGN,
    CHOSEN,
    DATA,
    PREDICTIONS,
    RUNS,
    SCORE,
    SFT,
    make_headline,
)

AGAIN = "run the score rule again"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "run"
    make_headline(root)
    return root


@pytest.fixture
def root(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run that the test may spoil, and the working folder."""
    copy = Path(shutil.copytree(ran, tmp_path / "run"))
    monkeypatch.chdir(copy)
    return copy


def found(*paths: Path, deep: bool = False, **chosen: object) -> list[str]:
    links = verify(paths or [SCORE], deep=deep, overrides={**CHOSEN, **chosen})
    return [problem for link in links for problem in link.problems]


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def rewrite(change: Callable[[dict[str, Any]], object]) -> None:
    """Edit the score and give it the hash of what then stands in it."""
    report = read_report(SCORE)
    change(report)
    write_report(SCORE, report)


def test_a_whole_chain_is_a_line_an_artefact(root: Path) -> None:
    links = verify([SCORE], deep=True, overrides=CHOSEN)
    assert list(lines(links)) == [
        "runs/demo/world/music: world, 1 file as published",
        "runs/demo/data/music_avqa: data, 2 files as published",
        "runs/demo/base: base, 2 files as published",
        "runs/demo/frames/music: frames, 1 file as published",
        "runs/demo/features/music_avqa/train/video: features, 1 file as published",
        "runs/demo/reference/music: reference, 1 file as published",
        "runs/demo/align/music/seed0: align, 1 file as published",
        "runs/demo/features/music_avqa/train/aligned/seed0: features, 1 file as published",
        "runs/demo/sft/lynx/music_avqa/seed0: sft, 1 file as published",
        "runs/demo/features/music_avqa/test/video: features, 1 file as published",
        "runs/demo/features/music_avqa/test/aligned/seed0: features, 1 file as published",
        "runs/demo/predictions/lynx/music_avqa/seed0: predict, 2 files as published",
        f"{SCORE}: score, unchanged, and what its answers come to",
        "13 artefacts, 0 problems",
    ]


def test_a_headline_brings_the_runs_that_it_shows(root: Path) -> None:
    path = Path("results/music_avqa/metrics.json")
    links = verify([path, ALIGN / MANIFEST_NAME, ALIGN], deep=False, overrides=CHOSEN)
    paths = [link.path for link in links]
    assert len(paths) == len(set(paths))
    assert paths[-1] == path
    assert {SCORE, Path("results/demo/video-only/music_avqa/seed0/metrics.json")} <= set(paths)
    assert as_dict(links)["problems"] == 0
    edit(path, lambda data: data["compare_with"]["video-only"].update(missing=1))
    run = "results/demo/video-only/music_avqa/seed0/metrics.json"
    assert found(path) == [
        f"{path}: its values do not hash to its own content field; the file was edited, so {AGAIN}",
        f"{path}: missing of video-only is 1, but {run} has 0; run the headline rule again",
    ]


def test_every_problem_of_a_chain_is_listed(root: Path) -> None:
    (root / RUNS / "world/music/content.txt").write_text("", encoding="utf-8")
    (root / ALIGN / "content.txt").unlink()
    (root / SFT / "more.txt").write_text("x", encoding="utf-8")
    assert found() == [
        "runs/demo/world/music/content.txt: 0 bytes found, 5 expected; the file was cut or "
        "changed, so run its rule again",
        f"{ALIGN}/content.txt: missing, expected 5 bytes; run its rule again",
        f"{SFT}/more.txt: not among the files of its manifest; remove it",
    ]


def test_another_stage_version(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = STAGE_VERSIONS["align"]
    monkeypatch.setitem(STAGE_VERSIONS, "align", 99)
    assert found() == [
        f"{ALIGN}: made by version {version} of stage align, the code is at version 99; run its "
        "rule again"
    ]
    monkeypatch.setitem(STAGE_VERSIONS, "score", 98)
    assert found()[1:] == [
        f"{SCORE}: made by version {read_report(SCORE)['stage_version']} of stage score, the code "
        f"is at version 98; {AGAIN}"
    ]


def test_an_older_configuration(root: Path) -> None:
    """What is older is named with key, found and expected; what was made from it is not."""
    changed = {"align.moment_weight": 0.25, "align.lora.rank": 3}
    before = read_manifest(ALIGN).settings["align"]
    assert isinstance(before, dict)
    assert found(overrides=changed) == [
        f"{ALIGN}: align.{key} is {old} in its manifest, expected {new} from the configuration; "
        "run its rule again or restore the configuration"
        for key, old, new in (
            ("lora.rank", before["lora"]["rank"], 3),
            ("moment_weight", before["moment_weight"], 0.25),
        )
    ]


def test_a_run_that_is_not_configured(root: Path) -> None:
    links = verify([PREDICTIONS], deep=False, overrides={"benchmarks": ["scanqa", "sqa3d"]})
    assert not any(link.problems for link in links)
    notes = {link.path: link.notes for link in links}
    assert notes[PREDICTIONS] == [
        "not compared with the configuration: benchmark music_avqa is not configured"
    ]
    assert notes[ALIGN] == [
        "not compared with the configuration: alignment music is not configured"
    ]
    assert notes[RUNS / "base"] == []


def test_another_scale_is_told_apart(root: Path) -> None:
    shutil.copytree(RUNS, "runs/none")
    (link,) = [
        each
        for each in verify([Path("runs/none/align/music/seed0")], deep=False, overrides=CHOSEN)
        if each.path == Path("runs/none/align/music/seed0")
    ]
    assert link.problems == []
    assert link.notes == [
        "not compared with the configuration: scale none is not configured (command line: unknown "
        "scale 'none'; known: 0.5b, 7b, demo)"
    ]


def test_an_artefact_in_anothers_place(root: Path) -> None:
    shutil.copytree(ALIGN, ALIGN.with_name("seed1"))
    other = ALIGN.with_name("seed1")
    assert found(other) == [
        f"{other}: seed is 0 in its manifest, expected 1 from its path; run its rule again",
        f"{other}: seed is 0 in its manifest, expected 1 from the configuration; run its rule "
        "again or restore the configuration",
    ]
    shutil.rmtree(ALIGN)
    shutil.copytree(RUNS / "base", ALIGN)
    assert f"{ALIGN}: an artefact of stage base, expected align; give the folder of that stage" in (
        found(ALIGN)
    )


def test_a_base_whose_weights_changed(root: Path) -> None:
    """The inventory is where the chain ends; the files that it lists are looked at too."""
    path, inventory = Path("models/demo/model.safetensors"), RUNS / "base/inventory.json"
    advice = "the base was changed since, so restore it or delete the inventory to start anew"
    path.write_bytes(b"weightz")
    assert found() == []
    (sentence,) = found(deep=True)
    assert sentence.startswith(f"{path}: sha256 ")
    assert sentence.endswith(f"... expected from {inventory}; {advice}")
    path.unlink()
    assert found() == [f"{path}: None bytes found, 7 expected from {inventory}; {advice}"]
    path.parent.rmdir()
    (link,) = verify([RUNS / "base"], deep=True, overrides=CHOSEN)
    assert (link.problems, link.notes) == (
        [],
        ["models/demo is not there, so its files were not compared"],
    )


def test_a_number_that_is_none_among_the_facts(root: Path) -> None:
    edit(ALIGN / MANIFEST_NAME, lambda data: data.update(facts={"last": {"loss": math.nan}}))
    assert found() == [
        f"{ALIGN}/manifest.json: facts.last.loss is nan, expected a finite number; run its rule "
        "again"
    ]


def test_a_parent_outside_the_project(root: Path) -> None:
    path = ALIGN / MANIFEST_NAME
    edit(path, lambda data: data["parents"][0].update(path="../base"))
    assert found() == [
        f"{path}: names parent ../base, expected a folder relative to the project's root; run the "
        f"rule that makes {ALIGN} again from there"
    ]


def test_a_parent_by_its_whole_path(root: Path) -> None:
    """As a stage that was given a whole path as its root once wrote it."""
    whole = (root / RUNS / "base").as_posix()
    edit(ALIGN / MANIFEST_NAME, lambda data: data["parents"][0].update(path=whole))
    assert found() == []


def test_a_parent_that_is_its_own_child(root: Path) -> None:
    path = RUNS / "world/music" / MANIFEST_NAME
    made = read_manifest(PREDICTIONS)
    child = {"path": PREDICTIONS.as_posix(), "stage": "predict"}
    child |= {"identity": made.identity, "content": made.content}
    edit(path, lambda data: data.update(parents=[child]))
    assert found(PREDICTIONS) == [
        f"{path}: stage, settings, seed and parents do not hash to its own identity field; the "
        "manifest was edited, so run the rule that makes it again",
        f"{path}: names parent {PREDICTIONS}, which is made from it; the manifest was edited, so "
        "run the rule that makes it again",
    ]


def test_a_hand_edited_number_with_a_new_hash(root: Path) -> None:
    """Only the answers know it, so it takes --deep."""
    rewrite(lambda data: data["metrics"]["exact_accuracy"].update(value=1.0))
    assert found() == []
    assert found(deep=True) == [
        f"{SCORE}: metrics.exact_accuracy.value is 1.0, but the answers in {PREDICTIONS} come to "
        f"0.5; {AGAIN}"
    ]


SPOILED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "count": (
        lambda data: data["metrics"]["exact_accuracy"].update(count=1),
        f"metrics.exact_accuracy is over 1 items, expected all 2 samples; {AGAIN}",
    ),
    "group": (
        lambda data: data["groups"]["scenario"]["Audio"]["exact_accuracy"].update(count=1),
        f"groups.scenario.Audio is over 1, 2 items, expected one number of at most 2; {AGAIN}",
    ),
    "missing": (
        lambda data: data.update(missing=1),
        f"2 answers and 1 missing ones, expected 2 together; {AGAIN}",
    ),
    "place": (
        lambda data: data.update(variant="no-align"),
        f"variant is no-align, expected lynx from its path; {AGAIN}",
    ),
    "recipe": (
        lambda data: data.update(recipe="paper"),
        f'recipe is "paper" in it, expected "demo" from the configuration; {AGAIN} or restore the '
        "configuration",
    ),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_score_that_does_not_add_up(root: Path, case: str) -> None:
    change, sentence = SPOILED[case]
    rewrite(change)
    assert found() == [f"{SCORE}: {sentence}"]


def test_a_score_that_is_not_finite(root: Path) -> None:
    edit(SCORE, lambda data: data["metrics"]["exact_accuracy"].update(value=math.nan))
    assert found() == [
        f"{SCORE}: metrics.exact_accuracy.value is nan, expected a finite number; {AGAIN}"
    ]
    with pytest.raises(ValueError, match="JSON compliant"):
        write_report(SCORE, {"value": math.inf})


def test_a_score_of_other_artefacts(root: Path) -> None:
    predictions, table = read_manifest(PREDICTIONS), read_manifest(DATA)
    (base,) = [entry for entry in predictions.parents if entry.stage == "base"]
    named = read_report(SCORE)["predictions"]
    rewrite(lambda data: data.update(predictions="0" * 64, data="1" * 64, parents={"base": "2"}))
    (sft,) = [entry for entry in predictions.parents if entry.stage == "sft"]
    assert found() == [
        f"{SCORE}: the score of predictions 000000000000, but {PREDICTIONS}/manifest.json is "
        f"{named[:12]}; {AGAIN}",
        f"{SCORE}: parents.base is 2, but {PREDICTIONS} was made from {base.content[:12]}; {AGAIN}",
        f"{SCORE}: parents.sft is None, but {PREDICTIONS} was made from {sft.content[:12]}; "
        f"{AGAIN}",
        f"{SCORE}: data is 111111111111, but {DATA} is {table.content[:12]}; {AGAIN}",
    ]


def test_a_file_that_is_no_score(root: Path) -> None:
    edit(SCORE, lambda data: data["metrics"].update(exact_accuracy="high"))
    (sentence,) = found()
    assert sentence.startswith(f"{SCORE}: metrics.exact_accuracy is not a score's (")
    assert sentence.endswith(f"); {AGAIN}")
    SCORE.write_text("{", encoding="utf-8")
    (sentence,) = found()
    assert sentence.startswith(f"{SCORE}: the whole file is not a score's (Invalid JSON")


def test_a_snapshot_is_checked_by_itself(root: Path) -> None:
    copy = Path("docs/demo") / SCORE
    copy.parent.mkdir(parents=True)
    shutil.copy(SCORE, copy)
    (link,) = verify([copy], deep=True, overrides=CHOSEN)
    assert (link.problems, link.notes) == (
        [],
        ["not below results/, so what it was made from is not known"],
    )


def test_what_is_neither_artefact_nor_score(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        found(Path("config/config.yaml"))
    assert str(caught.value) == (
        "config/config.yaml: found a file, expected a manifest.json, an artefact's folder or a "
        "metrics.json; give one of them"
    )
    with pytest.raises(InputError) as caught:
        found(SCORE, tmp_path / "other/metrics.json")
    assert str(caught.value) == (
        f"{tmp_path}/other/metrics.json: lies outside the project {root}; give --root, or "
        "artefacts of one project at a time"
    )


def test_a_project_is_found_from_elsewhere(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where runs/ is a link to a larger disk."""
    (root / "runs").rename(tmp_path / "disk")
    (root / "runs").symlink_to(tmp_path / "disk")
    monkeypatch.chdir(tmp_path)
    links = verify([Path("run") / SCORE], deep=False, overrides=CHOSEN)
    assert [link.problems for link in links] == [[]] * 13
    assert links[-1].path == root / SCORE
    monkeypatch.chdir(root / "config")
    assert verify([root / ALIGN], deep=False, overrides=CHOSEN)[-1].path == root / ALIGN


def test_differences_by_dotted_key() -> None:
    old = {"a": 1, "b": {"c": [1, 2], "d": True}, "worlds": [{"seed": 7}], "gone": None}
    new = {"a": 1, "b": {"c": [1], "d": True}, "worlds": [{"seed": 8}], "new": "x"}
    assert list(differences(old, new)) == [
        Difference("b.c", "[1, 2]", "[1]"),
        Difference("worlds.0.seed", "7", "8"),
        Difference("gone", "null", "absent"),
        Difference("new", "absent", '"x"'),
    ]
    assert list(differences({"a": {}}, {"a": {"b": 1}})) == [Difference("a.b", "absent", "1")]
    assert list(differences({"a": [{}]}, {"a": []})) == [Difference("a", "[{}]", "[]")]
    assert not_finite({"a": [1, {"b": math.inf}], "c": True}) == ("a.1.b", math.inf)
    assert not_finite({"a": [1.5, True, None, "nan"]}) is None
