"""Stage 2 around the library's own forward pass, with hooks for the attention response.

Shape legend: N images of a chunk, S patches, Dv tower width, h heads, d head width, Q query
positions, B items, F pseudo-frames of an item, D language model width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn
from transformers.models.siglip.modeling_siglip import SiglipAttention

from benchmarks.plain.training import train_anew
from benchmarks.workbench import SEED, Workbench
from lynx.align.items import ClipItem
from lynx.align.losses import Reference, moment_loss, query_positions
from lynx.align.reference import load_reference
from lynx.features.clips import x_pixels
from lynx.model.adapters import adapter_parameters, add_adapter, set_trainable
from lynx.model.base import Base
from lynx.training.plan import make_plan


@dataclass
class AttentionHooks:
    """Forward hooks on every block's self-attention that collect the response terms."""

    reference: Reference
    positions: torch.Tensor
    terms: list[torch.Tensor] = field(default_factory=list)

    def attach(self, tower: nn.Module) -> None:
        """Register one hook per block."""
        for index, block in enumerate(tower.get_submodule("encoder.layers").children()):
            attention = block.get_submodule("self_attn")
            attention.register_forward_hook(self._hook(index), with_kwargs=True)

    def _hook(self, index: int) -> Callable[..., None]:
        def take(
            module: SiglipAttention,
            args: tuple[torch.Tensor, ...],
            kwargs: dict[str, torch.Tensor],
            output: tuple[torch.Tensor, object],
        ) -> None:
            hidden = args[0] if args else kwargs["hidden_states"]
            self.terms.append(self._term(module, hidden, output[0], index))

        return take

    def _term(
        self, module: SiglipAttention, hidden: torch.Tensor, output: torch.Tensor, index: int
    ) -> torch.Tensor:
        """Mean |O - O'| of input (N, S, Dv) and output (N, S, Dv), queries projected anew."""
        heads = module.q_proj(hidden).unflatten(-1, (module.num_heads, module.head_dim))
        queries = heads.transpose(1, 2)[:, :, self.positions]
        keys = self.reference.keys[index].float()
        values = self.reference.values[index].float()
        weights = (queries @ keys.transpose(-1, -2) * module.scale).softmax(dim=-1)
        mixed = (weights @ values).transpose(1, 2).flatten(2)
        response: torch.Tensor = module.out_proj(mixed)
        return (output[:, self.positions] - response).abs().mean()


def align(bench: Workbench) -> Callable[[], list[float]]:
    """One epoch of stage 2 with the whole base loaded; the loss of every step."""
    base, settings = bench.load(["tower", "language"]), bench.recipe.align
    add_adapter(base, "vision", settings.lora, seed=SEED)
    set_trainable(base, "vision")
    reference = load_reference(bench.folder / "reference", base.info, base.device)
    hooks = AttentionHooks(reference, query_positions(base.info.grid, settings.query_stride))
    hooks.attach(base.tower)
    processor = base.processor()

    def backward(items: list[ClipItem]) -> float:
        clips = [bench.shelf.open(item.clip) for item in items]
        drawn = [
            x_pixels(processor, clip, item.places, settings.drawing)
            for clip, item in zip(clips, items, strict=True)
        ]
        pixels = torch.stack(drawn)
        hooks.terms.clear()
        rows = _rows(base, pixels, settings.frame_chunk)
        attention = torch.stack(hooks.terms).mean()
        moments = moment_loss(rows, reference.token_mean, reference.token_var)
        loss = settings.attention_weight * attention + settings.moment_weight * moments
        loss.backward()
        return float(loss.detach())

    plan = make_plan(bench.align_items, settings.optimizer, per_item=1, seed=SEED)
    parameters = adapter_parameters(base, "vision")
    return lambda: train_anew(parameters, settings.optimizer, plan, backward)


def _rows(base: Base, pixels: torch.Tensor, frame_chunk: int) -> torch.Tensor:
    """Token rows (R, D) of pixels (B, F, 3, P, P), one newline for each item."""
    video = base.model.model.get_video_features
    chunks = [video(part).pooler_output[:, :-1] for part in pixels.split(frame_chunk, dim=1)]
    newline = base.newline.expand(len(pixels), 1, -1)
    return torch.cat([*chunks, newline], dim=1).flatten(0, 1)
