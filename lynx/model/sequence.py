"""Sequences for the language model: [prefix, Z_v, Z_x, suffix] (method section 5.2).

Shape legend: B clips, L positions, V visual tokens, D language model width, Q questions of a clip.

Several questions of one clip stand behind one visual prefix. A packed clip is one sequence: the
shared prefix (text prefix, visual tokens and the words with which all its questions begin, such as
an instruction), then what is left of each question's suffix. A suffix sees the prefix and itself,
and its positions go on from the prefix, so every question has exactly the logits that it would have
in a sequence of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from lynx.model.chat import IGNORED, EncodedChat

PADDING_SEGMENT = -1
PREFIX_SEGMENT = 0


@dataclass(frozen=True)
class PackedClip:
    """One clip with its questions: embeddings (L, D); segments, positions and labels (L,)."""

    embeddings: torch.Tensor
    segments: torch.Tensor
    positions: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True)
class PackedBatch:
    """Right-padded clips: embeddings (B, L, D), mask (B, 1, L, L) of what is seen, rest (B, L)."""

    embeddings: torch.Tensor
    mask: torch.Tensor
    positions: torch.Tensor
    labels: torch.Tensor


def prefix_embeddings(
    embedding: nn.Embedding, prefix_ids: Sequence[int], streams: Sequence[torch.Tensor]
) -> torch.Tensor:
    """The shared prefix (P, D): embedded text prefix, then each stream (V_i, D), back to back."""
    weight = embedding.weight
    text = embedding(torch.tensor(prefix_ids, dtype=torch.long, device=weight.device))
    return torch.cat([text, *(stream.to(weight.device, weight.dtype) for stream in streams)])


def pack_clip(
    embedding: nn.Embedding, streams: Sequence[torch.Tensor], chats: Sequence[EncodedChat]
) -> PackedClip:
    """Put a clip's questions behind its visual prefix; all chats share their prefix ids."""
    if len({chat.prefix_ids for chat in chats}) != 1:
        raise ValueError("chats of one clip must share the text before <image>")
    prefix = prefix_embeddings(embedding, chats[0].prefix_ids, streams)
    device, same = prefix.device, shared_length(chats)
    start = prefix.shape[0] + same

    def ids(values: Sequence[int]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=device)

    parts = [prefix, embedding(ids(chats[0].suffix_ids[:same]))]
    segments = [torch.full((start,), PREFIX_SEGMENT, device=device)]
    positions = [torch.arange(start, device=device)]
    labels = [torch.full((start,), IGNORED, device=device)]
    for index, chat in enumerate(chats):
        count = len(chat.suffix_ids) - same
        parts.append(embedding(ids(chat.suffix_ids[same:])))
        segments.append(torch.full((count,), PREFIX_SEGMENT + 1 + index, device=device))
        positions.append(torch.arange(start, start + count, device=device))
        labels.append(ids(chat.labels[same:]))
    return PackedClip(
        torch.cat(parts), torch.cat(segments), torch.cat(positions), torch.cat(labels)
    )


def shared_length(chats: Sequence[EncodedChat]) -> int:
    """How many suffix tokens all chats begin with, none of them supervised.

    A token before the first supervised one stays each chat's own: it predicts that one.
    """
    free = min(_first_supervised(chat) for chat in chats) - 1
    columns = zip(*(chat.suffix_ids for chat in chats), strict=False)
    alike = itertools.takewhile(lambda tokens: len(set(tokens)) == 1, columns)
    return sum(1 for _ in itertools.islice(alike, max(free, 0)))


def _first_supervised(chat: EncodedChat) -> int:
    supervised = (index for index, label in enumerate(chat.labels) if label != IGNORED)
    return next(supervised, len(chat.labels))


def collate(clips: Sequence[PackedClip]) -> PackedBatch:
    """Pad packed clips on the right and build the mask of visible positions."""
    length = max(clip.segments.shape[0] for clip in clips)

    def padded(item: torch.Tensor, value: int) -> torch.Tensor:
        missing = length - item.shape[0]
        return F.pad(item, (0, 0, 0, missing) if item.dim() == 2 else (0, missing), value=value)

    segments = torch.stack([padded(clip.segments, PADDING_SEGMENT) for clip in clips])
    return PackedBatch(
        embeddings=torch.stack([padded(clip.embeddings, 0) for clip in clips]),
        mask=visible(segments),
        positions=torch.stack([padded(clip.positions, 0) for clip in clips]),
        labels=torch.stack([padded(clip.labels, IGNORED) for clip in clips]),
    )


def visible(segments: torch.Tensor) -> torch.Tensor:
    """Segments (B, L) to a mask (B, 1, L, L): causal, own segment or prefix; padding itself."""
    length = segments.shape[1]
    rows, columns = segments[:, :, None], segments[:, None, :]
    causal = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    allowed = causal & ((rows == columns) | ((columns == PREFIX_SEGMENT) & (rows >= 0)))
    return allowed[:, None]


def language_logits(language: nn.Module, head: nn.Module, batch: PackedBatch) -> torch.Tensor:
    """Logits (N, vocabulary) at the positions whose next token is supervised, in row order."""
    hidden = language(
        inputs_embeds=batch.embeddings,
        attention_mask=batch.mask,
        position_ids=batch.positions,
        use_cache=False,
    ).last_hidden_state
    supervised = batch.labels[:, 1:] != IGNORED
    logits: torch.Tensor = head(hidden[:, :-1][supervised])
    return logits


def answer_loss(language: nn.Module, head: nn.Module, batch: PackedBatch) -> torch.Tensor:
    """Mean cross-entropy over all supervised tokens of the batch (method section 5.3)."""
    targets = batch.labels[:, 1:]
    logits = language_logits(language, head, batch)
    return F.cross_entropy(logits.float(), targets[targets != IGNORED])
