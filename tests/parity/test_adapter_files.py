"""Method section 10, check 35: adapter folders, ours, the published ones and as PEFT reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file

from lynx.config.stages import LoraSettings
from lynx.model.adapters import (
    Role,
    adapter_parameters,
    add_adapter,
    load_adapter,
    lora_layers,
    save_adapter,
)
from tests.tiny_adapters import edited
from tests.tiny_model import encode, native, open_base, random_adapter, random_pixels

VISION = LoraSettings(rank=64, alpha=128, dropout=0.05)
LANGUAGE = LoraSettings(rank=64, alpha=16, dropout=0.05)
SETTINGS: dict[Role, LoraSettings] = {"vision": VISION, "language": LANGUAGE}
PIXELS = random_pixels(2, 5, 3, 42, 42)
PUBLISHED_NAMES = (
    ("base_model.model.model.vision_tower.", "base_model.model.vision_tower.vision_model."),
    ("base_model.model.model.language_model.", "base_model.model.language_model.model."),
)


def language_logits(model: torch.nn.Module) -> torch.Tensor:
    """Logits (1, L, vocabulary) of a fixed text."""
    with torch.no_grad():
        logits: torch.Tensor = model(input_ids=torch.arange(40)[None]).logits
    return logits


@pytest.fixture(scope="module")
def trained(
    tiny_base: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, torch.Tensor, torch.Tensor]:
    """Folder with both adapters, and Z_x and logits of the base that they come from."""
    folder = tmp_path_factory.mktemp("adapters")
    base = open_base(tiny_base)
    for role, lora in SETTINGS.items():
        save_adapter(random_adapter(base, role, lora), role, folder / role)
    return folder, encode(base, PIXELS, on=True), language_logits(base.model)


def published(source: Path, target: Path, lora: LoraSettings) -> Path:
    """The same adapter as peft 0.13.2 with transformers 4.45.1 wrote it."""

    def rename(tensors: dict[str, torch.Tensor]) -> None:
        for name in list(tensors):
            for ours, theirs in PUBLISHED_NAMES:
                if name.startswith(ours):
                    tensors[name.replace(ours, theirs)] = tensors.pop(name)

    edited(source, target, rename)
    names = load_file(target / "adapter_model.safetensors")
    modules = {name.removeprefix("base_model.model.").rsplit(".lora_", 1)[0] for name in names}
    config = {
        "alpha_pattern": {},
        "auto_mapping": {
            "base_model_class": "LlavaOnevisionForConditionalGeneration",
            "parent_library": "transformers.models.llava_onevision.modeling_llava_onevision",
        },
        "base_model_name_or_path": "llava-hf/llava-onevision-qwen2-0.5b-ov-hf",
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "layer_replication": None,
        "layers_pattern": None,
        "layers_to_transform": None,
        "loftq_config": {},
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "megatron_config": None,
        "megatron_core": "megatron.core",
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": lora.rank,
        "rank_pattern": {},
        "revision": None,
        "target_modules": sorted(modules),
        "task_type": None,
        "use_dora": False,
        "use_rslora": False,
    }
    (target / "adapter_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    return target


def test_saved_adapters_reproduce_exactly(
    tiny_base: Path, trained: tuple[Path, torch.Tensor, torch.Tensor]
) -> None:
    """Check 35: loading both saved adapters gives the same tokens and logits, bit for bit."""
    folder, tokens, logits = trained
    base = open_base(tiny_base)
    plain_tokens, plain_logits = encode(base, PIXELS, on=True), language_logits(base.model)
    assert load_adapter(base, "vision", folder / "vision") == VISION
    assert torch.equal(encode(base, PIXELS, on=True), tokens)
    assert torch.equal(language_logits(base.model), plain_logits)
    assert load_adapter(base, "language", folder / "language") == LANGUAGE
    assert torch.equal(encode(base, PIXELS, on=True), tokens)
    assert torch.equal(language_logits(base.model), logits)
    assert torch.equal(encode(base, PIXELS, on=False), plain_tokens)
    assert not torch.allclose(tokens, plain_tokens, atol=1e-2)
    assert not torch.allclose(logits, plain_logits, atol=1e-2)


def test_scales_of_loaded_adapters(
    tiny_base: Path, trained: tuple[Path, torch.Tensor, torch.Tensor]
) -> None:
    """Check 35: language 16 / 64 = 0.25, vision 128 / 64 = 2 (S7: a reload at 2 r is 8-fold)."""
    folder, *_ = trained
    base = open_base(tiny_base)
    for role, scale in (("vision", 2.0), ("language", 0.25)):
        load_adapter(base, role, folder / role)
        assert {layer.scaling[role] for layer in lora_layers(base, role).values()} == {scale}


def test_folder_holds_two_files(trained: tuple[Path, torch.Tensor, torch.Tensor]) -> None:
    """Section 4.3: a PEFT folder of trained tensors in float32, without paths of this machine."""
    folder, *_ = trained
    for role, count in (("vision", 36), ("language", 28)):
        names = sorted(path.name for path in (folder / role).iterdir())
        assert names == ["adapter_config.json", "adapter_model.safetensors"]
        tensors = load_file(folder / role / "adapter_model.safetensors")
        assert len(tensors) == count
        assert {item.dtype for item in tensors.values()} == {torch.float32}
        config = json.loads((folder / role / "adapter_config.json").read_text(encoding="utf-8"))
        assert config["base_model_name_or_path"] is None
        assert config["peft_type"] == "LORA"


def test_published_adapters_load(
    tiny_base: Path, tmp_path: Path, trained: tuple[Path, torch.Tensor, torch.Tensor]
) -> None:
    """Check 35: folders of the published code (peft 0.13.2) give the same tokens and logits."""
    folder, tokens, logits = trained
    base = open_base(tiny_base)
    for role, lora in SETTINGS.items():
        path = published(folder / role, tmp_path / role, lora)
        assert load_adapter(base, role, path) == lora
    first = {
        "vision": "base_model.model.vision_tower.vision_model.encoder.layers.0.self_attn.q_proj",
        "language": "base_model.model.language_model.model.layers.0.self_attn.q_proj",
    }
    for role, name in first.items():
        assert f"{name}.lora_A.weight" in load_file(tmp_path / role / "adapter_model.safetensors")
    assert torch.equal(encode(base, PIXELS, on=True), tokens)
    assert torch.equal(language_logits(base.model), logits)


def test_peft_opens_our_folders(
    tiny_base: Path, trained: tuple[Path, torch.Tensor, torch.Tensor]
) -> None:
    """Check 35: PEFT itself opens a folder on the library's model and gives the same tokens."""
    folder, tokens, logits = trained
    vision = PeftModel.from_pretrained(native(tiny_base), str(folder / "vision")).eval()
    with torch.no_grad():
        found = vision.get_video_features(PIXELS).pooler_output
    torch.testing.assert_close(found, tokens, atol=1e-6, rtol=0)
    language = PeftModel.from_pretrained(native(tiny_base), str(folder / "language")).eval()
    torch.testing.assert_close(language_logits(language), logits, atol=1e-6, rtol=0)


def test_an_adapter_trained_by_peft_loads(tiny_base: Path, tmp_path: Path) -> None:
    """Architecture, rule 10: a folder that PEFT wrote from leaf names gives PEFT's tokens."""
    torch.manual_seed(3)
    config = LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules=r".*vision_tower.*\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)",
        init_lora_weights=False,
    )
    model = get_peft_model(native(tiny_base), config).eval()
    model.save_pretrained(tmp_path / "peft")
    with torch.no_grad():
        expected = model.get_video_features(PIXELS).pooler_output
    base = open_base(tiny_base)
    assert load_adapter(base, "vision", tmp_path / "peft") == LoraSettings(
        rank=4, alpha=8, dropout=0.0
    )
    torch.testing.assert_close(encode(base, PIXELS, on=True), expected, atol=1e-6, rtol=0)


def test_fresh_adapters_are_seeded(tiny_base: Path) -> None:
    """Section 4.3: A is Kaiming-uniform from the seed alone, B zero, both in float32."""

    def fresh(seed: int, noise: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(noise)
        base = open_base(tiny_base)
        before = torch.get_rng_state()
        add_adapter(base, "vision", VISION, seed=seed)
        assert torch.equal(torch.get_rng_state(), before)
        return {n: p.detach().clone() for n, p in adapter_parameters(base, "vision").items()}

    one, same, other = fresh(1, 10), fresh(1, 11), fresh(2, 10)
    assert all(torch.equal(one[name], same[name]) for name in one)
    for name, tensor in one.items():
        assert tensor.dtype == torch.float32
        if ".lora_B." in name:
            assert float(tensor.abs().max()) == 0.0
        else:
            assert not torch.equal(tensor, other[name])
            # Kaiming-uniform with a = sqrt(5) is uniform in +-1 / sqrt(fan_in).
            bound = tensor.shape[1] ** -0.5
            assert 0.95 * bound < float(tensor.abs().max()) <= bound
