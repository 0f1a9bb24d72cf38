"""Greedy generation for several questions of one clip from one visual prefix.

Shape legend: Q questions, P prefix positions, L longest suffix, D language model width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import DynamicCache, PreTrainedConfig

from lynx.model.base import Base
from lynx.model.chat import EncodedChat
from lynx.model.sequence import prefix_embeddings


@torch.inference_mode()
def generate_answers(
    base: Base,
    streams: Sequence[torch.Tensor],
    chats: Sequence[EncodedChat],
    *,
    max_new_tokens: int,
    min_new_tokens: int,
) -> list[list[int]]:
    """Greedy continuations of Q prompts about one clip; ids without the end token.

    The prefix's keys and values are computed once and shared; suffixes are padded on the left.
    Equal to the library's `generate` for each question alone (method check 36).
    """
    prefix = prefix_embeddings(base.embedding, chats[0].prefix_ids, streams)
    count, start = len(chats), prefix.shape[0]
    config = base.model.config.text_config
    assert isinstance(config, PreTrainedConfig)
    cache = DynamicCache(config=config)
    base.language(inputs_embeds=prefix[None], past_key_values=cache, use_cache=True)
    cache.batch_repeat_interleave(count)
    ids, keep = _pad_left([chat.suffix_ids for chat in chats], base.info.end_token_id, base.device)
    mask = torch.cat([keep.new_ones(count, start), keep], dim=1)
    positions = start + (keep.cumsum(1) - 1).clamp(min=0)
    answers: list[list[int]] = [[] for _ in chats]
    open_rows = torch.ones(count, dtype=torch.bool, device=base.device)
    for step in range(max_new_tokens):
        hidden = base.language(
            inputs_embeds=base.embedding(ids),
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        logits = base.head(hidden[:, -1])
        if step < min_new_tokens:
            logits[:, base.info.end_token_id] = -torch.inf
        chosen = logits.argmax(dim=-1)
        open_rows &= chosen != base.info.end_token_id
        if not bool(open_rows.any()):
            break
        for row in open_rows.nonzero().flatten().tolist():
            answers[row].append(int(chosen[row]))
        ids = chosen[:, None]
        mask = torch.cat([mask, mask.new_ones(count, 1)], dim=1)
        positions = positions[:, -1:] + 1
    return answers


def _pad_left(
    rows: Sequence[Sequence[int]], filler: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids (Q, L) padded on the left with `filler`, and the mask (Q, L) of real ones."""
    length = max(len(row) for row in rows)
    ids = torch.full((len(rows), length), filler, dtype=torch.long)
    keep = torch.zeros(len(rows), length, dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, length - len(row) :] = torch.tensor(row)
        keep[index, length - len(row) :] = 1
    return ids.to(device), keep.to(device)
