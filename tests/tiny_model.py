"""Opened tiny bases with adapters, and the pixels and chats that go through them.

Shape legend: B clips, F frames, P the tower's image size, D language model width.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from peft import PeftModel
from torch import nn
from transformers import LlavaOnevisionForConditionalGeneration

from lynx.config.stages import LoraSettings
from lynx.model.adapters import Role, adapter_parameters, adapter_switched, add_adapter
from lynx.model.base import Base, Part, load_base
from lynx.model.tower import clip_tokens, close_clip

CPU = torch.device("cpu")
LORA = LoraSettings(rank=4, alpha=8, dropout=0.0)


def open_base(folder: Path, parts: Iterable[Part] = ("tower", "language")) -> Base:
    """A base in float32 on the CPU."""
    return load_base(folder, parts, dtype="float32", device=CPU)


def native(folder: Path) -> LlavaOnevisionForConditionalGeneration:
    """The same folder opened by the library alone."""
    return LlavaOnevisionForConditionalGeneration.from_pretrained(
        folder, attn_implementation="sdpa", dtype=torch.float32
    ).eval()


def randomise_adapter(base: Base, role: Role, *, seed: int, std: float = 0.1) -> None:
    """Give every A and B of a role random values, as if it had been trained."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in adapter_parameters(base, role).values():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * std)


def random_adapter(
    base: Base, role: Role, lora: LoraSettings = LORA, *, seed: int = 5
) -> PeftModel:
    """Add an adapter whose B is not zero."""
    peft_model = add_adapter(base, role, lora, seed=seed)
    randomise_adapter(base, role, seed=seed)
    return peft_model


def random_pixels(*shape: int, seed: int = 3) -> torch.Tensor:
    """Normal pixels of the shape (B, F, 3, P, P)."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def encode(base: Base, pixels: torch.Tensor, *, on: bool, frame_chunk: int = 4) -> torch.Tensor:
    """Z (B, F*T + 1, D) with the vision adapter on or off."""
    with torch.no_grad(), adapter_switched(base, "vision", on=on):
        return close_clip(clip_tokens(base, pixels, frame_chunk=frame_chunk), base.newline)


class AttentionRecord:
    """Input and output of every block's self-attention in the library's own forward pass.

    The library runs its blocks itself here, so what is recorded owes nothing to `run_blocks`.
    """

    def __init__(self, tower: nn.Module, pixels: torch.Tensor) -> None:
        self.modules = [block.self_attn for block in tower.encoder.layers]
        self.inputs: list[torch.Tensor] = []
        self.outputs: list[torch.Tensor] = []
        handles = [
            module.register_forward_hook(self._take, with_kwargs=True) for module in self.modules
        ]
        try:
            tower(pixels)
        finally:
            for handle in handles:
                handle.remove()

    def _take(
        self,
        module: nn.Module,
        args: tuple[torch.Tensor, ...],
        kwargs: dict[str, torch.Tensor],
        output: tuple[torch.Tensor, object],
    ) -> None:
        self.inputs.append(args[0] if args else kwargs["hidden_states"])
        self.outputs.append(output[0])

    def heads(self, block: int, projection: str) -> torch.Tensor:
        """One projection of a block's input, split into heads: (N, h, S, d)."""
        module = self.modules[block]
        states = getattr(module, projection)(self.inputs[block])
        return states.unflatten(-1, (module.num_heads, module.head_dim)).transpose(1, 2)
