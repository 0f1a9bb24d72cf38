"""Adapters of another base, rank or role, and broken folders, are refused with one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import LlavaOnevisionForConditionalGeneration

from lynx.config.stages import LoraSettings
from lynx.errors import InputError
from lynx.model.adapters import Role, load_adapter, lora_layers, read_adapter, save_adapter
from lynx.model.base import Base
from lynx.model.families.llava_onevision import BaseInfo
from lynx.model.vision_adapter import require_rank
from tests.tiny_adapters import edited
from tests.tiny_base import tiny_config
from tests.tiny_model import CPU, open_base, random_adapter

LORA = LoraSettings(rank=64, alpha=128, dropout=0.05)


@pytest.fixture(scope="module")
def trained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a `vision` and a `language` adapter of the tiny base."""
    folder = tmp_path_factory.mktemp("adapters")
    base = open_base(tiny_base)
    for role in ("vision", "language"):
        save_adapter(random_adapter(base, role, LORA), role, folder / role)
    return folder


def wide_base() -> Base:
    """Another base: the same names, a tower of width 64."""
    config = tiny_config()
    config.vision_config.hidden_size = 64
    model = LlavaOnevisionForConditionalGeneration(config).eval().requires_grad_(False)
    return Base(model, BaseInfo(Path("wide"), 42, 6, 64, 4, 3, 48, 259, 258), CPU)


A = "model.vision_tower.encoder.layers.0.mlp.fc1.lora_A.weight"


def refusal(base: Base, role: Role, folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_adapter(base, role, folder)
    return str(caught.value)


def test_another_base_is_refused(trained: Path) -> None:
    """Architecture, rule 7: an adapter of another base."""
    folder = trained / "vision"
    assert refusal(wide_base(), "vision", folder) == (
        f"{folder}: {A} has shape (64, 32), expected (64, 64); "
        "the adapter is of another rank or base"
    )


def test_another_rank_is_refused(tiny_base: Path, tmp_path: Path, trained: Path) -> None:
    """Architecture, rule 7: weights of another rank than the folder or the recipe says."""
    folder = edited(trained / "vision", tmp_path / "vision", lambda tensors: None)
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    (folder / "adapter_config.json").write_text(json.dumps(config | {"r": 8}), encoding="utf-8")
    assert refusal(open_base(tiny_base), "vision", folder) == (
        f"{folder}: {A} has shape (64, 32), expected (8, 32); "
        "the adapter is of another rank or base"
    )
    with pytest.raises(InputError) as caught:
        require_rank(trained / "vision", LoraSettings(rank=8, alpha=128, dropout=0.05))
    assert str(caught.value) == (
        f"{trained / 'vision'}: rank 64 and alpha 128 found, rank 8 and alpha 128 expected from "
        "the recipe; run its rule again"
    )


def test_missing_tensors_are_refused(tiny_base: Path, tmp_path: Path, trained: Path) -> None:
    """S7: unmatched keys are not passed over."""

    def drop(tensors: dict[str, torch.Tensor]) -> None:
        del tensors[f"base_model.model.{A}"]

    folder = edited(trained / "vision", tmp_path / "vision", drop)
    assert refusal(open_base(tiny_base), "vision", folder) == (
        f"{folder}: no weights for {A}, expected a vision adapter of this base"
    )


def test_the_other_role_is_refused(tiny_base: Path, trained: Path) -> None:
    """Architecture, rule 7: a language adapter is no vision adapter."""
    folder = trained / "language"
    assert refusal(open_base(tiny_base), "vision", folder) == (
        f"{folder}: model.language_model.layers.0.mlp.down_proj.lora_A.weight is no vision module "
        "of this base; use its own adapter"
    )


def test_a_broken_folder_is_refused(tmp_path: Path, trained: Path) -> None:
    """Architecture, rule 11: a missing file, a cut file, and a configuration that is no JSON."""
    folder = edited(trained / "vision", tmp_path / "vision", lambda tensors: None)
    weights, config = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-100])
    with pytest.raises(InputError) as caught:
        read_adapter(folder)
    assert str(caught.value).startswith(f"{folder}: the adapter is not whole (")
    assert str(caught.value).endswith("); run its rule again")
    weights.write_bytes(whole)
    config.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="the adapter is not whole"):
        read_adapter(folder)
    config.unlink()
    with pytest.raises(InputError) as caught:
        read_adapter(folder)
    assert str(caught.value) == (
        f"{config}: missing, expected a PEFT adapter folder; run its rule again"
    )


def test_a_refused_adapter_leaves_the_base_alone(tiny_base: Path, trained: Path) -> None:
    """What does not fit is refused before it is attached, so that the right one can follow."""
    base = open_base(tiny_base)
    names = set(base.model.state_dict())
    refusal(base, "vision", trained / "language")
    assert set(base.model.state_dict()) == names
    assert lora_layers(base, "vision") == {}
    assert load_adapter(base, "vision", trained / "vision") == LORA
    # A tower that carries its adapter is still checked by the names of its own linears.
    refusal(base, "language", trained / "vision")
    assert load_adapter(base, "language", trained / "language") == LORA


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"r": None}, "no r, expected r, lora_alpha, lora_dropout of a LoRA adapter"),
        (
            {"lora_alpha": None},
            "no lora_alpha, expected r, lora_alpha, lora_dropout of a LoRA adapter",
        ),
        (
            {"lora_dropout": None},
            "no lora_dropout, expected r, lora_alpha, lora_dropout of a LoRA adapter",
        ),
        (
            {"r": 0},
            "r is 0, which no LoRA adapter has (Input should be greater than 0)",
        ),
    ],
)
def test_settings_that_are_not_there(
    tmp_path: Path, trained: Path, change: dict[str, int | None], sentence: str
) -> None:
    """Architecture, rule 11: rank, alpha and dropout stand in the folder; None takes one out."""
    folder = edited(trained / "vision", tmp_path / "vision", lambda tensors: None)
    path = folder / "adapter_config.json"
    data = json.loads(path.read_text(encoding="utf-8")) | change
    kept = {key: value for key, value in data.items() if key not in change or value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_adapter(folder)
    assert str(caught.value) == f"{path}: {sentence}; run its rule again"


def test_settings_that_are_no_object(tmp_path: Path, trained: Path) -> None:
    """Architecture, rule 11: another JSON value than an object."""
    folder = edited(trained / "vision", tmp_path / "vision", lambda tensors: None)
    path = folder / "adapter_config.json"
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_adapter(folder)
    assert str(caught.value) == (
        f"{path}: a list found, expected a JSON object; run its rule again"
    )
