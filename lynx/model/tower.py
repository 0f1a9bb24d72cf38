"""The vision tower run block by block, so that one pass yields tokens and attention.

Method sections 2.2, 3 and 4.

Shape legend: N images, S patches, Dv tower width, h heads, d head width, B clips, F frames,
T tokens per frame after pooling, D language model width.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.nn import functional as F

from lynx.model.attention import attend
from lynx.model.base import Base

if TYPE_CHECKING:
    from transformers.models.siglip.modeling_siglip import (
        SiglipAttention,
        SiglipEncoderLayer,
        SiglipVisionModel,
    )


@dataclass(frozen=True)
class BlockAttention:
    """Self-attention of one block: queries, keys, values (N, h, S, d), output (N, S, Dv)."""

    index: int
    queries: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor
    output: torch.Tensor
    out_proj: nn.Module
    scale: float
    kernels: str | None = None
    """What computed the output, as the module's configuration names it."""


Observer = Callable[[BlockAttention], None]


def run_blocks(tower: nn.Module, pixels: torch.Tensor, observe: Observer | None) -> torch.Tensor:
    """Pixels (N, 3, P, P) to the last block's output (N, S, Dv), before `post_layernorm`."""
    siglip = cast("SiglipVisionModel", tower)
    hidden: torch.Tensor = siglip.embeddings(pixels)
    for index, layer in enumerate(siglip.encoder.layers):
        block = cast("SiglipEncoderLayer", layer)
        hidden = hidden + _attend(block.self_attn, block.layer_norm1(hidden), index, observe)
        hidden = hidden + block.mlp(block.layer_norm2(hidden))
    return hidden


def _attend(
    attention: SiglipAttention, hidden: torch.Tensor, index: int, observe: Observer | None
) -> torch.Tensor:
    """One block's self-attention on its normalised input (N, S, Dv)."""
    heads, width = attention.num_heads, attention.head_dim

    def split(states: torch.Tensor) -> torch.Tensor:
        return states.view(*states.shape[:2], heads, width).transpose(1, 2)

    queries = split(attention.q_proj(hidden))
    keys = split(attention.k_proj(hidden))
    values = split(attention.v_proj(hidden))
    kernels = attention.config._attn_implementation
    mixed = attend(queries, keys, values, scale=attention.scale, attention=kernels)
    output: torch.Tensor = attention.out_proj(mixed.transpose(1, 2).reshape(hidden.shape))
    if observe is not None:
        observe(
            BlockAttention(
                index, queries, keys, values, output, attention.out_proj, attention.scale, kernels
            )
        )
    return output


def pool_grid(tokens: torch.Tensor) -> torch.Tensor:
    """Projected patches (N, S, D) to pooled tokens (N, T, D): bilinear, grid halved, rounded up."""
    images, patches, width = tokens.shape
    grid = math.isqrt(patches)
    if grid * grid != patches:
        raise ValueError(f"{patches} patches are no square grid")
    side = math.ceil(grid / 2)
    maps = tokens.view(images, grid, grid, width).permute(0, 3, 1, 2).contiguous()
    maps = F.interpolate(maps, size=(side, side), mode="bilinear")
    return maps.permute(0, 2, 3, 1).reshape(images, side * side, width)


def frame_tokens(base: Base, pixels: torch.Tensor, observe: Observer | None = None) -> torch.Tensor:
    """Pixels (N, 3, P, P) to projected and pooled tokens (N, T, D)."""
    hidden = run_blocks(base.tower, pixels.to(base.newline.dtype), observe)
    return pool_grid(base.projector(hidden))


def clip_tokens(
    base: Base,
    pixels: torch.Tensor,
    *,
    frame_chunk: int,
    start_chunk: Callable[[], Observer | None] = lambda: None,
) -> torch.Tensor:
    """Pixels (B, F, 3, P, P) to tokens (B, F, T, D), `frame_chunk` frames of all clips at a time.

    `start_chunk` is called before each chunk and gives the observer of that chunk's attention.
    """
    chunks = []
    for start in range(0, pixels.shape[1], frame_chunk):
        part = pixels[:, start : start + frame_chunk]
        tokens = frame_tokens(base, part.flatten(0, 1), start_chunk())
        chunks.append(tokens.view(*part.shape[:2], *tokens.shape[1:]))
    return torch.cat(chunks, dim=1)


def merge_pairs(tokens: torch.Tensor) -> torch.Tensor:
    """Average the maps of frames 2k and 2k+1: (B, 2F, T, D) to (B, F, T, D) (section 2.5.2)."""
    clips, frames, count, width = tokens.shape
    if frames % 2:
        raise ValueError(f"{frames} frames cannot be merged in pairs")
    return tokens.view(clips, frames // 2, 2, count, width).mean(dim=2)


def pool_frames(tokens: torch.Tensor) -> torch.Tensor:
    """Average each frame's tokens to one: (B, F, T, D) to (B, F, 1, D) (section 5.4)."""
    return tokens.mean(dim=2, keepdim=True)


def close_clip(tokens: torch.Tensor, newline: torch.Tensor) -> torch.Tensor:
    """Frames in time order, then one newline vector: (B, F, T, D) to Z (B, F*T + 1, D)."""
    flat = tokens.flatten(1, 2)
    return torch.cat([flat, newline.to(flat.dtype).expand(flat.shape[0], 1, -1)], dim=1)
