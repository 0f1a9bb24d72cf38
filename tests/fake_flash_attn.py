"""The functions of flash-attn 2 that are called, in plain PyTorch, for tests without its kernels.

Legend: B sequences, S positions, h heads, d head width, N all positions of sequences in a row.
"""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import torch
import transformers.modeling_flash_attention_utils as library


def flash_attn_func(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    dropout_p: float = 0.0,
    softmax_scale: float | None = None,
    causal: bool = False,
    window_size: tuple[int, int] = (-1, -1),
    deterministic: bool = False,
) -> torch.Tensor:
    """Queries (B, S, h, d) against keys of as many or fewer heads; the last ones are aligned."""
    assert (dropout_p, window_size) == (0.0, (-1, -1))
    groups = q.shape[2] // k.shape[2]
    keys, values = (item.repeat_interleave(groups, dim=2).transpose(1, 2) for item in (k, v))
    scores = q.transpose(1, 2) @ keys.transpose(-1, -2) * (softmax_scale or q.shape[-1] ** -0.5)
    if causal:
        seen = torch.ones(scores.shape[-2:]).tril(k.shape[1] - q.shape[1]).bool()
        scores = scores.masked_fill(~seen, -torch.inf)
    return (scores.softmax(dim=-1) @ values).transpose(1, 2)


def flash_attn_varlen_func(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    cu_seqlens_q: torch.Tensor,
    cu_seqlens_k: torch.Tensor,
    max_seqlen_q: int,
    max_seqlen_k: int,
    softmax_scale: float | None = None,
    causal: bool = False,
) -> torch.Tensor:
    """Sequences of different lengths in a row: queries (N, h, d)."""
    rows = [
        flash_attn_func(
            q[None, a:b], k[None, c:e], v[None, c:e], softmax_scale=softmax_scale, causal=causal
        )[0]
        for a, b, c, e in zip(
            cu_seqlens_q[:-1], cu_seqlens_q[1:], cu_seqlens_k[:-1], cu_seqlens_k[1:], strict=True
        )
    ]
    assert max(len(row) for row in rows) == max_seqlen_q
    assert max_seqlen_k >= max_seqlen_q
    return torch.cat(rows)


def install(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Let the project and transformers find these functions in place of the package."""
    module = ModuleType("flash_attn")
    module.flash_attn_func = flash_attn_func  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flash_attn", module)
    functions = (
        flash_attn_func, flash_attn_varlen_func, None, library._pad_input, library._unpad_input,
    )  # fmt: skip
    monkeypatch.setattr(library, "_lazy_imports", lambda *_, **__: functions)
    monkeypatch.setattr(library, "_loaded_implementation", None)
    return module
