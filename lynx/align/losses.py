"""The interface alignment loss (method section 4.1; paper's L_attn and L_stat).

Shape legend: N images of one chunk, S patches, Dv tower width, h heads, d head width, D language
width, R token rows, Q query positions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from lynx.model.attention import attend
from lynx.model.tower import BlockAttention


@dataclass(frozen=True)
class Reference:
    """Stage 1's result: token moments (D,) and mean keys and values (blocks, h, S, d)."""

    token_mean: torch.Tensor
    token_var: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor


def query_positions(grid: int, stride: int) -> torch.Tensor:
    """Row-major indices (Q,) of every `stride`-th row and column; stride 2 of 27 gives 196."""
    rows = torch.arange(0, grid, stride)
    return (rows[:, None] * grid + rows[None, :]).flatten()


def attention_term(
    block: BlockAttention, keys: torch.Tensor, values: torch.Tensor, positions: torch.Tensor
) -> torch.Tensor:
    """Mean |O - O'| over (N, Q, Dv) for one block and one chunk.

    O is the block's attention output; O' is what the same queries return from the reference keys
    and values (h, S, d), after the same output projection. No stop-gradient: both sides are
    trained.
    """
    queries = block.queries[:, :, positions]
    keys = keys.to(queries.dtype).expand(queries.shape[0], -1, -1, -1)
    values = values.to(queries.dtype).expand(queries.shape[0], -1, -1, -1)
    mixed = attend(queries, keys, values, scale=block.scale, attention=block.kernels)
    mixed = mixed.transpose(1, 2).reshape(mixed.shape[0], len(positions), -1)
    return (block.output[:, positions] - block.out_proj(mixed)).abs().mean()


@dataclass
class AttentionResponse:
    """Collects the terms of every block and chunk; each term weighs the same, short chunks too."""

    reference: Reference
    positions: torch.Tensor
    trained: bool = True
    """Whether the terms carry gradient; without, they are only measured."""
    terms: list[torch.Tensor] = field(default_factory=list)

    def observe(self, block: BlockAttention) -> None:
        """Add one block's term; an observer for `clip_tokens`."""
        keys, values = self.reference.keys[block.index], self.reference.values[block.index]
        term = attention_term(block, keys, values, self.positions)
        self.terms.append(term if self.trained else term.detach())

    def loss(self) -> torch.Tensor:
        """L_attn: the mean over all terms."""
        return torch.stack(self.terms).mean()


def moment_loss(tokens: torch.Tensor, mean: torch.Tensor, var: torch.Tensor) -> torch.Tensor:
    """L_stat of token rows (R, D): Euclidean distance of means plus that of population variances.

    Plain norms over D, not squared and not divided by D (method section 4.1, P3); float32.
    """
    rows = tokens.float()
    found_mean = rows.mean(dim=0)
    found_var = rows.var(dim=0, unbiased=False)
    return torch.linalg.vector_norm(found_mean - mean) + torch.linalg.vector_norm(found_var - var)
