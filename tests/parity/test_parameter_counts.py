"""Method section 10, check 6: the adapters of the real bases, counted on the meta device."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch
from transformers import LlavaOnevisionConfig

from lynx.config.stages import LoraSettings
from lynx.model.adapters import Role, adapter_parameters, add_adapter, lora_layers
from lynx.model.base import Base, skeleton
from lynx.model.families.llava_onevision import BaseInfo

TEXT = {
    "0.5b": {
        "hidden_size": 896,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "intermediate_size": 4864,
        "tie_word_embeddings": True,
    },
    "7b": {
        "hidden_size": 3584,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "intermediate_size": 18944,
        "tie_word_embeddings": False,
    },
}


def real_config(scale: str) -> LlavaOnevisionConfig:
    """The published shapes (method section 2.1)."""
    return LlavaOnevisionConfig(
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": 1152,
            "num_hidden_layers": 26,
            "num_attention_heads": 16,
            "intermediate_size": 4304,
            "image_size": 384,
            "patch_size": 14,
            "vision_use_head": False,
        },
        text_config={"model_type": "qwen2", "vocab_size": 152000, **TEXT[scale]},
        image_token_index=151646,
        tie_word_embeddings=TEXT[scale]["tie_word_embeddings"],
    )


def real_info(scale: str) -> BaseInfo:
    width = TEXT[scale]["hidden_size"]
    assert isinstance(width, int)
    return BaseInfo(Path(scale), 384, 27, 1152, 16, 26, width, 151646, 151645)


def with_adapters(scale: str, ranks: dict[Role, int]) -> Base:
    base = Base(skeleton(real_config(scale)), real_info(scale), torch.device("meta"))
    for role, rank in ranks.items():
        add_adapter(base, role, LoraSettings(rank=rank, alpha=2 * rank, dropout=0.05), seed=0)
    return base


def elements(base: Base, role: Role) -> int:
    return sum(parameter.numel() for parameter in adapter_parameters(base, role).values())


@cache
def language_elements() -> int:
    """The language adapter at 0.5B, whose rank stays 64 in the paper's rank sweep."""
    return elements(with_adapters("0.5b", {"language": 64}), "language")


@pytest.mark.parametrize(
    ("scale", "modules", "language", "total"),
    [("0.5b", 168, 35_192_832, 68_685_824), ("7b", 196, 161_480_704, 194_973_696)],
)
def test_counts_of_rank_64(scale: str, modules: int, language: int, total: int) -> None:
    """Check 6: modules and parameters of both adapters at rank 64."""
    base = with_adapters(scale, {"vision": 64, "language": 64})
    assert len(lora_layers(base, "vision")) == 156
    assert len(lora_layers(base, "language")) == modules
    assert elements(base, "vision") == 33_492_992
    assert elements(base, "language") == language
    assert elements(base, "vision") + elements(base, "language") == total


def test_nothing_is_allocated() -> None:
    """Check 6: counting a 7B base costs no memory, adapters included."""
    base = with_adapters("7b", {"vision": 64, "language": 64})
    assert {parameter.device.type for parameter in base.model.parameters()} == {"meta"}


@pytest.mark.parametrize(("rank", "total"), [(8, 39_379_456), (16, 43_566_080), (32, 51_939_328)])
def test_totals_of_the_rank_sweep(rank: int, total: int) -> None:
    """Check 6: the paper's 39.4, 43.6, 51.9 M at 0.5B; only attention and MLP linears give them."""
    base = with_adapters("0.5b", {"vision": rank})
    assert elements(base, "vision") + language_elements() == total


def test_scales() -> None:
    """Check 35: scale is alpha / rank, 128 / 64 = 2 for vision and 16 / 64 = 0.25 for language."""
    base = Base(skeleton(real_config("0.5b")), real_info("0.5b"), torch.device("meta"))
    add_adapter(base, "vision", LoraSettings(rank=64, alpha=128, dropout=0.05), seed=0)
    add_adapter(base, "language", LoraSettings(rank=64, alpha=16, dropout=0.05), seed=0)
    assert {layer.scaling["vision"] for layer in lora_layers(base, "vision").values()} == {2.0}
    assert {layer.scaling["language"] for layer in lora_layers(base, "language").values()} == {0.25}
