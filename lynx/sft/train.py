"""Stage 3's training run: frozen streams in, language adapter out (method section 5).

Shape legend: V tokens of one stream of a clip, D language model width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from lynx.config.stages import SftSettings
from lynx.model.adapters import adapter_parameters, set_trainable
from lynx.model.base import Base
from lynx.model.chat import ChatEncoder, EncodedChat
from lynx.model.sequence import answer_loss, collate, pack_clip
from lynx.sft.dataset import ClipQuestions
from lynx.training.loop import Training
from lynx.training.plan import make_plan


class TokenSource(Protocol):
    """Anything that gives a clip's tokens (V, D): a store or a streaming encoder."""

    def read(self, clip: str) -> torch.Tensor: ...


@dataclass(frozen=True)
class LoadedClip:
    """A clip's streams, each (V, D), and its encoded questions."""

    streams: list[torch.Tensor]
    chats: list[EncodedChat]


class SftObjective(nn.Module):
    """Next-token cross-entropy on the answers of a micro-batch of clips."""

    def __init__(self, base: Base) -> None:
        super().__init__()
        # Only what runs: the tower may be on the meta device.
        self.language, self.head = base.language, base.head
        self._base = base

    def forward(self, clips: list[LoadedClip]) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss over all supervised tokens of the micro-batch."""
        base = self._base
        packed = [pack_clip(base.embedding, clip.streams, clip.chats) for clip in clips]
        return answer_loss(base.language, base.head, collate(packed)), {}


def sft_training(
    base: Base,
    sources: Sequence[TokenSource],
    groups: list[ClipQuestions],
    encoder: ChatEncoder,
    settings: SftSettings,
    seed: int,
) -> Training[ClipQuestions, list[LoadedClip]]:
    """The run of stage 3; the base carries a fresh `language` adapter already."""
    set_trainable(base, "language")
    encoded: dict[tuple[tuple[str, str], ...], EncodedChat] = {}

    def chat(turns: tuple[tuple[str, str], ...]) -> EncodedChat:
        if turns not in encoded:
            encoded[turns] = encoder.encode(turns, answer_last=True)
        return encoded[turns]

    def load(chosen: list[ClipQuestions]) -> list[LoadedClip]:
        return [
            LoadedClip(
                [source.read(group.clip) for source in sources],
                [chat(turns) for turns in group.conversations],
            )
            for group in chosen
        ]

    return Training(
        objective=SftObjective(base),
        parameters=adapter_parameters(base, "language"),
        settings=settings.optimizer,
        plan=make_plan(groups, settings.optimizer, per_item=settings.questions_per_clip, seed=seed),
        load=load,
        device=base.device,
        half=base.newline.dtype == torch.bfloat16,
        name="sft",
    )
