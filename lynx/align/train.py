"""Stage 2: train the vision adapter on X alone, without pairs or labels (method section 4).

Shape legend: B items, F pseudo-frames of an item, P image side, D language model width.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from lynx.align.items import ClipItem, Shelves
from lynx.align.losses import AttentionResponse, Reference, moment_loss, query_positions
from lynx.config.stages import AlignSettings
from lynx.features.clips import x_pixels
from lynx.model.adapters import adapter_parameters, set_trainable
from lynx.model.base import Base
from lynx.model.pixels import FrameProcessor
from lynx.model.tower import clip_tokens, close_clip
from lynx.training.loop import Training
from lynx.training.plan import make_plan
from lynx.training.recompute import must_recompute


class AlignObjective(nn.Module):
    """L = attention_weight * L_attn + moment_weight * L_stat of a micro-batch of pixels.

    A term of weight 0 is measured for the log and is no part of the loss.
    """

    def __init__(self, base: Base, reference: Reference, settings: AlignSettings) -> None:
        super().__init__()
        # Only what runs: the language model may be on the meta device.
        self.tower, self.projector = base.tower, base.projector
        self._base = base
        self._reference = reference
        self._settings = settings
        self._recomputed = must_recompute(base.device, base.newline.dtype == torch.bfloat16)
        self._positions = query_positions(base.info.grid, settings.query_stride).to(base.device)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss and its two terms for pixels (B, F, 3, P, P)."""
        base, settings = self._base, self._settings
        chunks = [self._observed(part) for part in pixels.split(settings.frame_chunk, dim=1)]
        tokens = torch.cat([found for found, _ in chunks], dim=1)
        rows = close_clip(tokens, base.newline).flatten(0, 1)
        attention = torch.cat([terms for _, terms in chunks]).mean()
        moments = moment_loss(rows, self._reference.token_mean, self._reference.token_var)
        weights = (settings.attention_weight, settings.moment_weight)
        parts = [w * term for w, term in zip(weights, (attention, moments), strict=True) if w > 0]
        loss = parts[0] if len(parts) == 1 else parts[0] + parts[1]
        terms = {"attention": float(attention.detach()), "moments": float(moments.detach())}
        return loss, terms

    def _observed(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens (B, F, T, D) of one chunk of frames, and its attention term of every block."""
        if not self._recomputed:
            return self._observe(pixels)
        found: tuple[torch.Tensor, torch.Tensor] = checkpoint(
            self._observe, pixels, use_reentrant=False
        )
        return found

    def _observe(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        base, trained = self._base, self._settings.attention_weight > 0
        response = AttentionResponse(self._reference, self._positions, trained=trained)
        tokens = clip_tokens(
            base,
            pixels.to(base.device),
            frame_chunk=pixels.shape[1],
            start_chunk=lambda: response.observe,
        )
        return tokens, torch.stack(response.terms)


def align_training(
    base: Base,
    reference: Reference,
    items: list[ClipItem],
    shelves: Shelves,
    processor: FrameProcessor,
    settings: AlignSettings,
    seed: int,
) -> Training[ClipItem, torch.Tensor]:
    """The run of stage 2; the base carries a fresh `vision` adapter already."""
    set_trainable(base, "vision")

    def load(chosen: list[ClipItem]) -> torch.Tensor:
        return torch.stack(
            [
                x_pixels(processor, item.open(shelves), item.places, settings.drawing)
                for item in chosen
            ]
        )

    return Training(
        objective=AlignObjective(base, reference, settings),
        parameters=adapter_parameters(base, "vision"),
        settings=settings.optimizer,
        plan=make_plan(items, settings.optimizer, per_item=1, seed=seed),
        load=load,
        device=base.device,
        half=base.newline.dtype == torch.bfloat16,
        name="align",
    )
