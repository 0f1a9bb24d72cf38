"""Answers to several questions of one clip from one visual prefix: greedy text, or a letter.

Shape legend: Q questions, P prefix positions, L longest suffix, D language model width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache, PreTrainedConfig

from lynx.model.base import Base
from lynx.model.chat import EncodedChat
from lynx.model.sequence import prefix_embeddings, shared_length


@dataclass
class _Continued:
    """Q texts that go on token by token: ids (Q, L) not read yet, mask (Q, P + all) and positions.

    The prefix's keys and values are computed once and shared; suffixes are padded on the left.
    """

    base: Base
    cache: DynamicCache
    ids: torch.Tensor
    mask: torch.Tensor
    positions: torch.Tensor

    @classmethod
    def open(
        cls, base: Base, streams: Sequence[torch.Tensor], chats: Sequence[EncodedChat]
    ) -> _Continued:
        """Read the shared prefix, and the words with which all texts begin."""
        same = shared_length(chats)
        words = torch.tensor(chats[0].suffix_ids[:same], dtype=torch.long, device=base.device)
        visual = prefix_embeddings(base.embedding, chats[0].prefix_ids, streams)
        prefix = torch.cat([visual, base.embedding(words)])
        count, start = len(chats), prefix.shape[0]
        config = base.model.config.text_config
        assert isinstance(config, PreTrainedConfig)
        cache = DynamicCache(config=config)
        base.language(inputs_embeds=prefix[None], past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(count)
        suffixes = [chat.suffix_ids[same:] for chat in chats]
        ids, keep = _pad_left(suffixes, base.info.end_token_id, base.device)
        mask = torch.cat([keep.new_ones(count, start), keep], dim=1)
        return cls(base, cache, ids, mask, start + (keep.cumsum(1) - 1).clamp(min=0))

    def logits(self) -> torch.Tensor:
        """Read the ids and give the logits (Q, vocabulary) of what follows."""
        hidden = self.base.language(
            inputs_embeds=self.base.embedding(self.ids),
            attention_mask=self.mask,
            position_ids=self.positions,
            past_key_values=self.cache,
            use_cache=True,
        ).last_hidden_state
        logits: torch.Tensor = self.base.head(hidden[:, -1])
        return logits

    def append(self, chosen: torch.Tensor) -> None:
        """Put one token (Q,) behind each text."""
        self.ids = chosen[:, None]
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(chosen), 1)], dim=1)
        self.positions = self.positions[:, -1:] + 1


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

    Equal to the library's `generate` for each question alone (method check 36).
    """
    texts = _Continued.open(base, streams, chats)
    answers: list[list[int]] = [[] for _ in chats]
    open_rows = torch.ones(len(chats), dtype=torch.bool, device=base.device)
    for step in range(max_new_tokens):
        logits = texts.logits()
        if step < min_new_tokens:
            logits[:, base.info.end_token_id] = -torch.inf
        chosen = logits.argmax(dim=-1)
        open_rows &= chosen != base.info.end_token_id
        if not bool(open_rows.any()):
            break
        for row in open_rows.nonzero().flatten().tolist():
            answers[row].append(int(chosen[row]))
        texts.append(chosen)
    return answers


@torch.inference_mode()
def choose_tokens(
    base: Base,
    streams: Sequence[torch.Tensor],
    chats: Sequence[EncodedChat],
    choices: Sequence[int],
) -> list[int]:
    """Of the token ids `choices` the one with the highest logit behind each of Q prompts.

    Nothing is generated, so there is always an answer ("released" behaviour of AVQA, method
    section 6; the first of equal logits wins).
    """
    logits = _Continued.open(base, streams, chats).logits()
    best = logits[:, torch.tensor(choices, device=logits.device)].argmax(dim=-1)
    return [choices[index] for index in best.tolist()]


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
