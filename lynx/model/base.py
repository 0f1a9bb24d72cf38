"""Load a base model, whole or in part, from its Hugging Face folder.

Align needs tower and projector, sft from stored features needs the language model alone; what a
stage does not need stays on the meta device and takes no memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from safetensors import safe_open
from torch import nn
from transformers import LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration

from lynx.config.gpu_targets import GpuTargetName
from lynx.errors import InputError
from lynx.model.attention import attention_used, choose_attention, use_attention
from lynx.model.families.llava_onevision import (
    EMBEDDING_PREFIXES,
    LANGUAGE_PREFIXES,
    TOWER_PREFIXES,
    BaseInfo,
    current_name,
    describe,
)
from lynx.model.weight_files import weight_files

if TYPE_CHECKING:
    from lynx.model.pixels import FrameProcessor

Part = Literal["tower", "embedding", "language"]
PREFIXES: dict[Part, tuple[str, ...]] = {
    "tower": TOWER_PREFIXES,
    "embedding": EMBEDDING_PREFIXES,
    "language": LANGUAGE_PREFIXES,
}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass
class Base:
    """A frozen base model and what its folder says about it."""

    model: LlavaOnevisionForConditionalGeneration
    info: BaseInfo
    device: torch.device

    @property
    def tower(self) -> nn.Module:
        """The vision tower (SigLIP encoder)."""
        return self.model.model.vision_tower

    @property
    def projector(self) -> nn.Module:
        """The projector, tower width to language model width."""
        return self.model.model.multi_modal_projector

    @property
    def newline(self) -> torch.Tensor:
        """`image_newline`, the vector (D,) that ends every clip."""
        return self.model.model.image_newline

    @property
    def language(self) -> nn.Module:
        """The language model without its head."""
        return self.model.model.language_model

    @property
    def embedding(self) -> nn.Embedding:
        """The language model's word embeddings."""
        embedding = self.model.get_input_embeddings()
        assert isinstance(embedding, nn.Embedding)
        return embedding

    @property
    def head(self) -> nn.Module:
        """The language model's output head."""
        return self.model.lm_head

    @property
    def attention(self) -> str:
        """What its loaded parts compute attention with."""
        return attention_used(self.model)

    def processor(self) -> FrameProcessor:
        """The folder's own video processor."""
        from lynx.model.pixels import FrameProcessor  # torchvision is slow to import

        return FrameProcessor.load(self.info)


def skeleton(config: LlavaOnevisionConfig) -> LlavaOnevisionForConditionalGeneration:
    """The module tree of a base on the meta device: shapes and names, no memory."""
    with torch.device("meta"):
        model = LlavaOnevisionForConditionalGeneration(config)
    return model.eval().requires_grad_(False)


def load_base(
    folder: Path,
    parts: Iterable[Part],
    *,
    dtype: str,
    device: torch.device,
    gpu_target: GpuTargetName = "cpu",
) -> Base:
    """Open a base folder and load the given parts, frozen, in eval mode.

    Raises InputError for a folder that is no LLaVA-OneVision base, or whose weights are incomplete,
    and for a target whose attention cannot be computed here.
    """
    info = describe(folder)
    config = LlavaOnevisionConfig.from_pretrained(folder)
    config._attn_implementation = "sdpa"
    model = skeleton(config)
    use_attention(model, choose_attention(gpu_target, device, DTYPES[dtype]))
    wanted = tuple(prefix for part in parts for prefix in PREFIXES[part])
    tensors = _read_tensors(folder, wanted, DTYPES[dtype], device)
    if "lm_head.weight" not in tensors and config.tie_word_embeddings:
        shared = tensors.get("model.language_model.embed_tokens.weight")
        if shared is not None:
            tensors["lm_head.weight"] = shared
    needed = {
        name: tensor for name, tensor in model.state_dict().items() if name.startswith(wanted)
    }
    _check_complete(folder, needed, tensors)
    model.load_state_dict(tensors, strict=False, assign=True)
    _make_buffers(model, wanted, device)
    if config.tie_word_embeddings:
        model.lm_head.weight = model.get_input_embeddings().weight  # one parameter, one gradient
    return Base(model.requires_grad_(False).eval(), info, device)


def _read_tensors(
    folder: Path, wanted: tuple[str, ...], dtype: torch.dtype, device: torch.device
) -> dict[str, torch.Tensor]:
    tensors = {}
    for path in weight_files(folder):
        try:
            with safe_open(path, framework="pt", device=str(device)) as stream:
                for name in stream.keys():  # noqa: SIM118 (not a mapping)
                    if (current := current_name(name)).startswith(wanted):
                        tensors[current] = stream.get_tensor(name).to(dtype)
        except Exception as error:
            if type(error).__name__ != "SafetensorError":
                raise
            raise InputError(f"{path}: not whole ({error}); download the file again") from error
    return tensors


def _check_complete(
    folder: Path, needed: dict[str, torch.Tensor], found: dict[str, torch.Tensor]
) -> None:
    # post_layernorm and a pooling head follow the feature layer and are never run.
    unused = ("model.vision_tower.post_layernorm.", "model.vision_tower.head.")
    missing = sorted(set(needed) - set(found))
    missing = [name for name in missing if not name.startswith(unused)]
    if missing:
        raise InputError(
            f"{folder}: {len(missing)} weights are missing, first {missing[0]}; "
            "the download is incomplete, so fetch the folder again"
        )
    for name, tensor in found.items():
        if name in needed and needed[name].shape != tensor.shape:
            raise InputError(
                f"{folder}: {name} has shape {tuple(tensor.shape)}, expected "
                f"{tuple(needed[name].shape)} from config.json; the folder mixes two models"
            )


def _make_buffers(model: nn.Module, wanted: tuple[str, ...], device: torch.device) -> None:
    """Fill the buffers that no checkpoint stores: patch positions and rotary frequencies."""
    for name, module in model.named_modules():
        if not f"{name}.".startswith(wanted):
            continue
        if getattr(module, "position_ids", None) is not None and hasattr(module, "num_positions"):
            positions = torch.arange(module.num_positions, device=device)
            module.register_buffer("position_ids", positions.expand((1, -1)), persistent=False)
        if name.endswith("rotary_emb"):
            fresh = type(module)(config=module.config)
            for key, buffer in fresh.named_buffers(recurse=False):
                module.register_buffer(key, buffer.to(device), persistent=False)
    stranded = [
        name for name, item in model.named_buffers() if item.is_meta and name.startswith(wanted)
    ]
    if stranded:
        raise RuntimeError(f"buffers without a value after loading: {stranded}")
