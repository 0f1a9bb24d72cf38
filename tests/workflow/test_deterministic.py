"""Stages with deterministic kernels alone: none lacks one, and two runs give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import read_manifest
from tests.project_copy import edit_yaml, run_chain, tiny_project

MADE = (
    "align/3d/seed0/vision/adapter_model.safetensors",
    "sft/lynx/scanqa/seed0/language/adapter_model.safetensors",
    "predictions/lynx/scanqa/seed0/predictions.jsonl",
)


@pytest.fixture(autouse=True)
def kernels() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)


def made(root: Path) -> list[str]:
    tiny_project(root)
    edit_yaml(root / "config/site.yaml", {"deterministic": True})
    run_chain(root)
    assert "deterministic" in read_manifest(root / "runs/demo/align/3d/seed0").environment["device"]
    return [hash_file(root / "runs/demo" / name) for name in MADE]


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    assert made(tmp_path / "one") == made(tmp_path / "two")
