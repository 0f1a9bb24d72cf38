"""`lynx verify` finds and names whatever was changed behind a score, and whatever made it stale."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lynx.artifacts.manifest import MANIFEST_NAME, read_manifest
from tests.command_line import Outcome
from tests.fault.test_changed_artefacts import (
    ALIGN,
    PREDICTIONS,
    RUNS,
    SFT,
    TEST_ALIGNED,
    TRAIN_VIDEO,
    cut,
    edit_json,
    flip_last_bit,
    made_from,
    overrides,
)
from tests.project_copy import OVERRIDES, copy_project, edit_yaml, load

SCORE = Path("results/demo/lynx/scanqa/seed0/metrics.json")
HEADLINE = Path("results/scanqa/metrics.json")
TRAIN_ALIGNED = RUNS / "features/scanqa/train/aligned/seed0"
CHAIN = [
    RUNS / "world/rooms",
    RUNS / "data/scanqa",
    RUNS / "base",
    RUNS / "data/sqa3d",
    RUNS / "frames/3d",
    TRAIN_VIDEO,
    RUNS / "reference/3d",
    ALIGN,
    TRAIN_ALIGNED,
    SFT,
    RUNS / "features/scanqa/test_w_obj/video",
    TEST_ALIGNED,
    PREDICTIONS,
]  # fmt: skip
EDITED = (
    "its values do not hash to its own content field; the file was edited, so run the score rule "
    "again"
)


@pytest.fixture(scope="module")
def scored(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished project with its score and headline; read-only by convention."""
    from lynx.evaluate.stage import run_headline, run_score

    root = copy_project(finished, tmp_path_factory.mktemp("scored") / "project")
    edit_yaml(root / "config/config.yaml", {"compare_with": []})
    run_score(load(root), "lynx", "scanqa")
    run_headline(load(root), "scanqa")
    return root


@pytest.fixture
def root(scored: Path, tmp_path: Path) -> Path:
    """A copy that the test may spoil."""
    return copy_project(scored, tmp_path / "project")


def found(outcome: Outcome) -> list[str]:
    """The sentences about what is wrong."""
    sentences = outcome.err.splitlines()
    assert outcome.code == (2 if sentences else 0)
    count = f"{len(sentences)} problem{'' if len(sentences) == 1 else 's'}"
    assert outcome.out.splitlines()[-1].endswith(f" artefacts, {count}")
    assert all(sentence.startswith("lynx: ") for sentence in sentences)
    return [sentence.removeprefix("lynx: ") for sentence in sentences]


def test_a_whole_chain(root: Path, lynx: Callable[..., Outcome]) -> None:
    outcome = lynx("verify", "--deep", str(HEADLINE))
    assert (outcome.err, outcome.code) == ("", 0)
    read = {folder: read_manifest(folder) for folder in CHAIN}
    files = {
        folder: f"{len(one.files)} file{'' if len(one.files) == 1 else 's'}"
        for folder, one in read.items()
    }
    artefacts = [f"{one}: {read[one].stage}, {files[one]} as published" for one in CHAIN]
    *shown, run, headline, count = outcome.out.splitlines()
    assert sorted(shown) == sorted(artefacts)
    assert (run, headline, count) == (
        f"{SCORE}: score, unchanged, and what its answers come to",
        f"{HEADLINE}: headline, unchanged",
        "15 artefacts, 0 problems",
    )
    told = json.loads(lynx("verify", "--json", str(SCORE)).out)
    assert told["problems"] == 0
    assert [item["path"] for item in told["artefacts"]][-1] == str(SCORE)
    assert len(told["artefacts"]) == len(CHAIN) + 1


def test_a_flipped_bit_anywhere_behind_a_score(root: Path, lynx: Callable[..., Outcome]) -> None:
    """Of the largest file of every artefact in turn."""
    for folder in CHAIN:
        path = max((folder / each.path for each in read_manifest(folder).files), key=size)
        after, before = flip_last_bit(path)
        assert found(lynx("verify", "--deep", str(PREDICTIONS))) == [
            f"{path}: sha256 {after[:12]}... found, {before[:12]}... expected; the file was "
            "changed, so run its rule again"
        ]
        if folder != RUNS / "base":  # the inventory is read, so it shows there without --deep
            assert found(lynx("verify", str(PREDICTIONS))) == []
        flip_last_bit(path)
    assert found(lynx("verify", "--deep", str(PREDICTIONS))) == []


def size(path: Path) -> int:
    return path.stat().st_size


def test_a_flipped_bit_of_the_base(root: Path, lynx: Callable[..., Outcome]) -> None:
    path = Path("models/demo/model.safetensors")
    after, before = flip_last_bit(path)
    assert found(lynx("verify", "--deep", str(SFT / MANIFEST_NAME))) == [
        f"{path}: sha256 {after[:12]}... found, {before[:12]}... expected from "
        "runs/demo/base/inventory.json; the base was changed since, so restore it or delete the "
        "inventory to start anew"
    ]


def test_truncated_features(root: Path, lynx: Callable[..., Outcome]) -> None:
    path = TRAIN_VIDEO / "tokens-00000.safetensors"
    after, before = cut(path)
    assert found(lynx("verify", str(SCORE))) == [
        f"{path}: {after} bytes found, {before} expected; the file was cut or changed, so run its "
        "rule again"
    ]


def test_files_of_no_length(root: Path, lynx: Callable[..., Outcome]) -> None:
    """Features, adapter and manifest at once: each is named."""
    features, adapter = TEST_ALIGNED / "index.jsonl", SFT / "language/adapter_model.safetensors"
    expected = {path: path.stat().st_size for path in (adapter, features)}
    for path in (features, adapter, ALIGN / MANIFEST_NAME):
        path.write_bytes(b"")
    manifest, *others = found(lynx("verify", str(SCORE)))
    assert manifest.startswith(
        f"{ALIGN}/manifest.json: the whole file is not a manifest's (Invalid JSON: EOF"
    )
    assert manifest.endswith("); delete the artefact's folder and run its rule again")
    assert sorted(others) == sorted(
        f"{path}: 0 bytes found, {before} expected; the file was cut or changed, so run its rule "
        "again"
        for path, before in expected.items()
    )


def test_an_edited_manifest(root: Path, lynx: Callable[..., Outcome]) -> None:
    path = ALIGN / MANIFEST_NAME
    edit_json(path, lambda data: data["settings"]["align"].update(moment_weight=9.0))
    assert found(lynx("verify", str(SCORE))) == [
        f"{path}: stage, settings, seed and parents do not hash to its own identity field; the "
        "manifest was edited, so run the rule that makes it again"
    ]


def test_a_hand_edited_metric(root: Path, lynx: Callable[..., Outcome]) -> None:
    edit_json(SCORE, lambda data: data["metrics"]["em"].update(value=0.999))
    assert found(lynx("verify", str(SCORE))) == [f"{SCORE}: {EDITED}"]


def test_a_hand_edited_headline(root: Path, lynx: Callable[..., Outcome]) -> None:
    scored = json.loads(SCORE.read_text(encoding="utf-8"))["metrics"]["em"]["value"]
    edit_json(HEADLINE, lambda data: data["metrics"]["em"].update(value=0.999))
    assert found(lynx("verify", str(HEADLINE))) == [
        f"{HEADLINE}: {EDITED}",
        f"{HEADLINE}: metrics.em.value of lynx is 0.999, but {SCORE} has {scored}; run the "
        "headline rule again",
    ]


@pytest.mark.parametrize(
    ("key", "value", "folder", "named", "old"),
    [
        ("align.moment_weight", 0.25, ALIGN, "align.moment_weight", None),
        ("evaluate.max_new_tokens", 5, PREDICTIONS, "max_new_tokens", 4),
    ],
    ids=["alignment", "length of an answer"],
)
def test_a_result_older_than_its_configuration(
    root: Path,
    lynx: Callable[..., Outcome],
    key: str,
    value: object,
    folder: Path,
    named: str,
    old: object,
) -> None:
    if old is None:
        old = load(root).experiment.alignments["3d"].settings.moment_weight
    edit_yaml(root / "config/config.yaml", {"overrides": {**OVERRIDES, key: value}})
    assert found(lynx("verify", str(HEADLINE))) == [
        f"{folder}: {named} is {old} in its manifest, expected {value} from the configuration; run "
        "its rule again or restore the configuration"
    ]
    edit_yaml(root / "config/config.yaml", {"overrides": OVERRIDES})
    assert found(lynx("verify", str(HEADLINE))) == []


def test_the_configuration_of_the_command_line(root: Path, lynx: Callable[..., Outcome]) -> None:
    (sentence,) = found(lynx("verify", str(SCORE), *overrides(align__moment_weight=0.25)))
    assert sentence.startswith(f"{ALIGN}: align.moment_weight is ")


def test_a_missing_parent(root: Path, lynx: Callable[..., Outcome]) -> None:
    shutil.rmtree(ALIGN)
    assert found(lynx("verify", str(SCORE))) == [
        f"{ALIGN}: no manifest, so the artefact is absent or was never finished; run the rule that "
        "makes it"
    ]


def test_a_parent_made_anew(root: Path, lynx: Callable[..., Outcome]) -> None:
    changed = {"overrides": {**OVERRIDES, "align.moment_weight": 0.25}}
    edit_yaml(root / "config/config.yaml", changed)
    assert lynx("align", "--name", "3d").code == 0
    assert found(lynx("verify", str(SCORE))) == [
        made_from(folder, "align", ALIGN) for folder in (TEST_ALIGNED, TRAIN_ALIGNED)
    ]


def test_answers_of_another_run(root: Path, lynx: Callable[..., Outcome]) -> None:
    """The same answers, given at another time: the score names the manifest, which says when."""
    edit_json(PREDICTIONS / MANIFEST_NAME, lambda data: data["facts"].update(wall_seconds=99.0))
    (sentence,) = found(lynx("verify", str(SCORE)))
    assert sentence.startswith(f"{SCORE}: the score of predictions ")
    assert sentence.endswith("; run the score rule again")
