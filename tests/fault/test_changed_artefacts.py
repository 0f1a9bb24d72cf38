"""Artefacts that are not what the configuration or their manifest says are found before use."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import (
    MANIFEST_NAME,
    content_hash,
    dump_manifest,
    list_files,
    read_manifest,
)
from tests.command_line import Outcome
from tests.project_copy import BASE_SIDE, OVERRIDES, copy_project, load

BENCHMARK = ("--benchmark", "scanqa")
LYNX = ("--variant", "lynx", *BENCHMARK)
ENCODE = ("features", *BENCHMARK, "--split", "test_w_obj", "--stream", "aligned")
RUNS = Path("runs/demo")
ALIGN, SFT = RUNS / "align/3d/seed0", RUNS / "sft/lynx/scanqa/seed0"
TRAIN_VIDEO = RUNS / "features/scanqa/train/video"
TRAIN_ALIGNED = RUNS / "features/scanqa/train/aligned/seed0"
TEST_ALIGNED = RUNS / "features/scanqa/test_w_obj/aligned/seed0"
PREDICTIONS = RUNS / "predictions/lynx/scanqa/seed0"
ADAPTERS = {ALIGN: "vision", SFT: "language"}


def refused(outcome: Outcome, sentence: str) -> None:
    assert (outcome.said, outcome.code) == (f"lynx: {sentence}", 2)
    assert "Traceback" not in outcome.err


def overrides(**values: object) -> tuple[str, str]:
    chosen = {key.replace("__", "."): value for key, value in values.items()}
    return "--set", f"overrides={json.dumps(chosen)}"


def vouch(folder: Path) -> None:
    """Make the manifest agree with the changed files, as if a stage had published them so."""
    manifest, files = read_manifest(folder), list_files(folder)
    changed = manifest.model_copy(update={"files": files, "content": content_hash(files)})
    (folder / MANIFEST_NAME).write_text(dump_manifest(changed), encoding="utf-8")


def edit_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def flip_last_bit(path: Path) -> tuple[str, str]:
    """Change one bit and not the size; gives the hashes after and before."""
    before, data = hash_file(path), bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    return hash_file(path), before


def cut(path: Path) -> tuple[int, int]:
    """Take the last byte off; gives the sizes after and before."""
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    return len(data) - 1, len(data)


@pytest.mark.parametrize(
    ("command", "change", "folder", "section"),
    [
        (ENCODE, {"align__lora": {"rank": 4, "alpha": 4, "dropout": 0.05}}, ALIGN, "align"),
        (ENCODE, {"align__moment_weight": 0.5}, ALIGN, "align"),
        (("predict", *LYNX), {"sft__lora": {"rank": 4, "alpha": 4, "dropout": 0.0}}, SFT, "lora"),
        (("predict", *LYNX), {"sft__optimizer__learning_rate": 0.5}, SFT, "optimizer"),
    ],
    ids=["vision rank", "alignment", "language rank", "learning rate"],
)
def test_an_adapter_of_another_recipe(
    lynx: Callable[..., Outcome],
    command: tuple[str, ...],
    change: dict[str, object],
    folder: Path,
    section: str,
) -> None:
    refused(
        lynx(*command, *overrides(**change)),
        f"{folder}: an adapter of another recipe ({section} differ); run its rule again or restore "
        "the recipe",
    )


@pytest.mark.parametrize(("folder", "command"), [(ALIGN, ENCODE), (SFT, ("predict", *LYNX))])
def test_an_adapter_of_another_rank_under_the_same_recipe(
    root: Path, lynx: Callable[..., Outcome], folder: Path, command: tuple[str, ...]
) -> None:
    adapter = folder / ADAPTERS[folder]
    edit_json(root / adapter / "adapter_config.json", lambda data: data.update(r=8))
    vouch(root / folder)
    refused(
        lynx(*command),
        f"{adapter}: rank 8 and alpha 4 found, rank 2 and alpha 4 expected from the recipe; run "
        "its rule again",
    )


@pytest.fixture
def other_base(root: Path, lynx: Callable[..., Outcome]) -> Path:
    """The same name and sizes, other weights; its inventory is made anew."""
    from tests.tiny_base import write_tiny_base

    shutil.rmtree(root / "models/demo")
    write_tiny_base(root / "models/demo", seed=1, **BASE_SIDE)
    assert lynx("base").code == 0
    return root


def made_from(folder: Path, stage: str, parent: Path) -> str:
    """The sentence about an artefact whose parent has been replaced."""
    entries = read_manifest(folder).parents
    (old,) = [each for each in entries if (each.stage, each.path) == (stage, parent.as_posix())]
    new = read_manifest(parent)
    return (
        f"{folder}: made from {stage} {old.identity[:12]} ({old.content[:12]}), but {parent} is "
        f"{new.identity[:12]} ({new.content[:12]}); run the rule that makes {folder} again"
    )


def test_an_adapter_of_another_base(other_base: Path, lynx: Callable[..., Outcome]) -> None:
    refused(lynx(*ENCODE), made_from(ALIGN, "base", RUNS / "base"))


def test_features_of_another_base(other_base: Path, lynx: Callable[..., Outcome]) -> None:
    refused(lynx("sft", *LYNX), made_from(TRAIN_VIDEO, "base", RUNS / "base"))


def test_features_of_another_adapter(root: Path, lynx: Callable[..., Outcome]) -> None:
    changed = overrides(align__moment_weight=0.5)
    assert lynx("align", "--name", "3d", *changed).code == 0
    refused(lynx("sft", *LYNX, *changed), made_from(TRAIN_ALIGNED, "align", ALIGN))


REALIGNED = overrides(align__moment_weight=0.5)


def realign(lynx: Callable[..., Outcome], *splits: str) -> None:
    """Make the alignment anew under another recipe, and with it the X of some splits."""
    assert lynx("align", "--name", "3d", *REALIGNED).code == 0
    for split in splits:
        command = ("features", *BENCHMARK, "--split", split, "--stream", "aligned")
        assert lynx(*command, *REALIGNED).code == 0


def test_a_language_adapter_trained_on_another_x(root: Path, lynx: Callable[..., Outcome]) -> None:
    """The scored X alone is read by the new vision adapter: what was trained is not scored."""
    realign(lynx, "test_w_obj")
    refused(lynx("predict", *LYNX, *REALIGNED), made_from(TRAIN_ALIGNED, "align", ALIGN))


def test_a_language_adapter_older_than_its_features(
    root: Path, lynx: Callable[..., Outcome]
) -> None:
    realign(lynx, "train", "test_w_obj")
    refused(lynx("predict", *LYNX, *REALIGNED), made_from(SFT, "features", TRAIN_ALIGNED))


def test_asked_with_another_alignment(root: Path, lynx: Callable[..., Outcome]) -> None:
    ask = ("ask", "--adapter", str(SFT), "a_scan", "How many?")
    realign(lynx)
    refused(lynx(*ask), made_from(TRAIN_ALIGNED, "align", ALIGN))
    realign(lynx, "train")
    refused(lynx(*ask), made_from(SFT, "features", TRAIN_ALIGNED))


def test_a_clip_is_shown_as_it_was_in_training(root: Path, lynx: Callable[..., Outcome]) -> None:
    """Without X too, whatever the recipe says today."""
    from lynx.evaluate.trained import Trained

    assert lynx("sft", "--variant", "video-only", *BENCHMARK).code == 0
    today = load(root, overrides={**OVERRIDES, "sft.view.frames": 1, "evaluate.view.frames": 1})
    assert today.experiment.training_recipe("scanqa").sft.view.frames == 1
    for folder in (SFT, RUNS / "sft/video-only/scanqa/seed0"):
        assert Trained.open(today, root / folder).view.frames == 2


def test_another_base_trains_anew(
    other_base: Path, lynx: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State of a run on the old base must not be taken for that of the new one."""
    fresh = copy_project(other_base, tmp_path / "fresh")
    shutil.rmtree(fresh / "work")
    weights = ALIGN / "vision/adapter_model.safetensors"
    old = hash_file(weights)
    for folder in (other_base, fresh):
        monkeypatch.chdir(folder)
        assert lynx("reference", "--group", "3d").code == 0
        assert lynx("align", "--name", "3d").code == 0
    assert hash_file(other_base / weights) == hash_file(fresh / weights)
    assert hash_file(fresh / weights) != old


def test_a_base_changed_since_its_inventory(root: Path, lynx: Callable[..., Outcome]) -> None:
    path = Path("models/demo/model.safetensors")
    found, expected = cut(path)
    refused(
        lynx(*ENCODE),
        f"{path}: {found} bytes found, {expected} expected from runs/demo/base/inventory.json; the "
        "base was changed since, so restore it or delete the inventory to start anew",
    )


def test_a_folder_that_is_no_llava_onevision(root: Path, lynx: Callable[..., Outcome]) -> None:
    config = Path("models/demo/config.json")
    edit_json(config, lambda data: data.update(model_type="qwen2_vl"))
    before = (RUNS / "base" / MANIFEST_NAME).read_bytes()
    refused(
        lynx("base"),
        f"{config}: model_type is 'qwen2_vl', expected 'llava_onevision' (give a LLaVA-OneVision "
        "base)",
    )
    assert (RUNS / "base" / MANIFEST_NAME).read_bytes() == before


def test_a_base_that_is_not_there(root: Path, lynx: Callable[..., Outcome]) -> None:
    shutil.rmtree("models/demo")
    refused(
        lynx("base"),
        "models/demo: no such folder, expected a LLaVA-OneVision base in Hugging Face layout; "
        "download it there or correct site.models in config/site.yaml",
    )


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({"sft__view__frames": 1, "evaluate__view__frames": 1}, "view"),
        ({"frames__per_scene": 3, "reference__frames_per_clip": 3}, "frames"),
    ],
    ids=["view", "frames"],
)
def test_features_of_other_settings(
    lynx: Callable[..., Outcome], change: dict[str, object], keys: str
) -> None:
    refused(
        lynx("sft", *LYNX, *overrides(**change)),
        f"{TRAIN_VIDEO}: features of other settings ({keys} differ from the recipe); run the "
        "features rule again",
    )


TRUNCATED = {
    "features": (TRAIN_VIDEO / "tokens-00000.safetensors", ("sft", *LYNX)),
    "index": (TEST_ALIGNED / "index.jsonl", ("predict", *LYNX)),
    "vision adapter": (ALIGN / "vision/adapter_model.safetensors", ENCODE),
    "language adapter": (SFT / "language/adapter_model.safetensors", ("predict", *LYNX)),
    "reference": (RUNS / "reference/3d/reference.safetensors", ("align", "--name", "3d")),
    "table": (RUNS / "data/scanqa/train.jsonl", ("sft", *LYNX)),
    "scored table": (RUNS / "data/scanqa/test_w_obj.jsonl", ("score", *LYNX)),
    "predictions": (PREDICTIONS / "predictions.jsonl", ("score", *LYNX)),
}


@pytest.mark.parametrize("case", TRUNCATED)
def test_a_truncated_file(root: Path, lynx: Callable[..., Outcome], case: str) -> None:
    path, command = TRUNCATED[case]
    found, expected = cut(path)
    refused(
        lynx(*command),
        f"{path}: {found} bytes found, {expected} expected; the file was cut or changed, so run "
        "its rule again",
    )
    assert not (root / "results").exists()


FLIPPED = {
    **TRUNCATED,
    # Another seed, whose steps are all still to be taken.
    "features": (
        TRAIN_VIDEO / "tokens-00000.safetensors",
        ("sft", "--variant", "video-only", *BENCHMARK, "--set", "seed=1"),
    ),
    "training index": (TRAIN_VIDEO / "index.jsonl", ("sft", *LYNX)),
    "base": (RUNS / "base/inventory.json", ENCODE),
}


@pytest.mark.parametrize("case", FLIPPED)
def test_a_flipped_bit(root: Path, lynx: Callable[..., Outcome], case: str) -> None:
    """Whatever a result is made from is hashed before use; tokens shard by shard."""
    path, command = FLIPPED[case]
    found, expected = flip_last_bit(path)
    refused(
        lynx(*command),
        f"{path}: sha256 {found[:12]}... found, {expected[:12]}... expected; the file was changed, "
        "so run its rule again",
    )
    assert not (root / "results").exists()


def test_a_manifest_with_other_files(root: Path, lynx: Callable[..., Outcome]) -> None:
    path = TRAIN_VIDEO / MANIFEST_NAME
    edit_json(path, lambda data: data["files"].pop())
    refused(
        lynx("sft", *LYNX),
        f"{path}: the file list does not hash to its own content field; the manifest was edited, "
        "so run the rule that makes it again",
    )


def test_a_manifest_with_other_settings(root: Path, lynx: Callable[..., Outcome]) -> None:
    path = ALIGN / MANIFEST_NAME
    edit_json(path, lambda data: data["settings"].update(seed=5))
    refused(
        lynx(*ENCODE),
        f"{path}: stage, settings, seed and parents do not hash to its own identity field; the "
        "manifest was edited, so run the rule that makes it again",
    )


def test_a_manifest_cut_short(root: Path, lynx: Callable[..., Outcome]) -> None:
    path = ALIGN / MANIFEST_NAME
    path.write_bytes(path.read_bytes()[:100])
    outcome = lynx(*ENCODE)
    assert outcome.said.startswith(
        f"lynx: {path}: the whole file is not a manifest's (Invalid JSON"
    )
    assert outcome.said.endswith("); delete the artefact's folder and run its rule again")
    assert outcome.code == 2


def test_predictions_of_another_recipe(root: Path, lynx: Callable[..., Outcome]) -> None:
    refused(
        lynx("score", *LYNX, *overrides(evaluate__max_new_tokens=5)),
        f"{PREDICTIONS}: predictions of another recipe than the configured one; run the predict "
        "rule again",
    )


def test_predictions_of_another_table(root: Path, lynx: Callable[..., Outcome]) -> None:
    """The denominator is the table's, so it must be the one that was answered."""
    table = RUNS / "data/scanqa/test_w_obj.jsonl"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(lines[:-1]), encoding="utf-8")
    vouch(RUNS / "data/scanqa")
    refused(lynx("score", *LYNX), made_from(PREDICTIONS, "data", RUNS / "data/scanqa"))


def test_an_artefact_of_another_stage(root: Path, lynx: Callable[..., Outcome]) -> None:
    shutil.rmtree(RUNS / "reference/3d")
    shutil.copytree(RUNS / "base", RUNS / "reference/3d")
    refused(
        lynx("align", "--name", "3d"),
        "runs/demo/reference/3d: an artefact of stage base, expected reference; give the folder of "
        "that stage",
    )
