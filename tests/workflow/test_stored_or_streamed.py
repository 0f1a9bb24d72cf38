"""Features on disk and features encoded by their reader are the same (architecture, rule 8)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import read_manifest
from tests.project_copy import copy_project, edit_yaml, encode, load

FEATURES = Path("runs/demo/features/scanqa")
RESULTS = (
    Path("runs/demo/sft/lynx/scanqa/seed0/language/adapter_model.safetensors"),
    Path("runs/demo/sft/lynx/scanqa/seed0/training.jsonl"),
    Path("runs/demo/predictions/lynx/scanqa/seed0/predictions.jsonl"),
)


@pytest.fixture(scope="module")
def streamed(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished project, encoded, trained and predicted again without disk for features."""
    from lynx.evaluate.stage import run_predict
    from lynx.sft.stage import run_sft

    root = copy_project(finished, tmp_path_factory.mktemp("streamed") / "project")
    for name in ("runs/demo/features", "runs/demo/sft", "runs/demo/predictions", "work"):
        shutil.rmtree(root / name)
    edit_yaml(root / "config/site.yaml", {"feature_disk_gb": 0})
    project = load(root)
    encode(project, "lynx")
    run_sft(project, "lynx", "scanqa")
    run_predict(project, "lynx", "scanqa")
    return root


def test_a_streamed_artefact_holds_no_shard(finished: Path, streamed: Path) -> None:
    manifests = sorted(path.relative_to(streamed) for path in (streamed / FEATURES).rglob("*.json"))
    assert len(manifests) == 4
    for path in manifests:
        stored, kept_nowhere = read_manifest(finished / path), read_manifest(streamed / path)
        assert [file.path for file in stored.files] == ["index.jsonl", "tokens-00000.safetensors"]
        assert kept_nowhere.files == ()
        assert (stored.facts["storage"], kept_nowhere.facts["storage"]) == ("stored", "streamed")
        assert stored.settings == kept_nowhere.settings
        assert [entry.name for entry in (streamed / path).parent.iterdir()] == ["manifest.json"]


def test_the_stated_size_is_what_the_store_takes(finished: Path) -> None:
    for path in (finished / FEATURES).rglob("manifest.json"):
        manifest = read_manifest(path)
        (shard,) = [file for file in manifest.files if file.path.endswith(".safetensors")]
        stated = manifest.facts["stream_bytes"]
        assert isinstance(stated, int)
        assert 0 <= shard.bytes - stated < 2000, "the header of the file alone comes on top"


@pytest.mark.parametrize("name", RESULTS, ids=lambda path: path.name)
def test_adapters_and_answers_are_bit_equal(finished: Path, streamed: Path, name: Path) -> None:
    assert hash_file(finished / name) == hash_file(streamed / name)
