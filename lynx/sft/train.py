"""Stage 3's training run: frozen streams in, language adapter out (method section 5).

Without an interface stage (the paper's Table 5) the vision adapter is trained here too, by the same
loss: X comes as pixels and goes through the tower in every step.

Shape legend: V tokens of one stream of a clip, D language model width, K pseudo-frames of X, P the
tower's image size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from lynx.config.stages import SftSettings
from lynx.features.encode import StreamEncoder
from lynx.model.adapters import Role, adapter_parameters, set_trainable
from lynx.model.base import Base
from lynx.model.chat import ChatEncoder, EncodedChat
from lynx.model.sequence import answer_loss, collate, pack_clip
from lynx.sft.dataset import ClipQuestions
from lynx.training.loop import Training
from lynx.training.plan import make_plan
from lynx.training.recompute import must_recompute, recompute


class TokenSource(Protocol):
    """Anything that gives a clip's tokens (V, D): a store or a streaming encoder."""

    def read(self, clip: str) -> torch.Tensor: ...


@dataclass(frozen=True)
class LoadedClip:
    """A clip's streams, each (V, D), its encoded questions, and perhaps X yet to be encoded."""

    streams: list[torch.Tensor]
    chats: list[EncodedChat]
    pixels: torch.Tensor | None = None
    """X (K, 3, P, P), whose tokens follow the streams."""


class SftObjective(nn.Module):
    """Next-token cross-entropy on the answers of a micro-batch of clips."""

    def __init__(self, base: Base, live: StreamEncoder | None = None) -> None:
        super().__init__()
        # Only what runs: the tower may be on the meta device.
        self.language, self.head = base.language, base.head
        if live is not None:
            self.tower, self.projector = base.tower, base.projector
        self._base, self._live = base, live
        self._recomputed = must_recompute(base.device, base.newline.dtype == torch.bfloat16)

    def forward(self, clips: list[LoadedClip]) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss over all supervised tokens of the micro-batch."""
        base = self._base
        packed = [pack_clip(base.embedding, self._streams(clip), clip.chats) for clip in clips]
        return answer_loss(base.language, base.head, collate(packed)), {}

    def _streams(self, clip: LoadedClip) -> list[torch.Tensor]:
        if self._live is None or clip.pixels is None:
            return clip.streams
        if not self._recomputed:
            return [*clip.streams, self._live.tokens(clip.pixels)]
        # One clip at a time in the tower on the way back, too.
        return [*clip.streams, checkpoint(self._live.tokens, clip.pixels, use_reentrant=False)]


def decoder_layers(base: Base) -> list[nn.Module]:
    """The layers of the language model, which hold nearly all of a step's activations."""
    layers = base.language.layers
    assert isinstance(layers, nn.ModuleList)
    return list(layers)


def sft_training(
    base: Base,
    sources: Sequence[TokenSource],
    groups: list[ClipQuestions],
    encoder: ChatEncoder,
    settings: SftSettings,
    seed: int,
    live: StreamEncoder | None = None,
) -> Training[ClipQuestions, list[LoadedClip]]:
    """The run of stage 3; the base carries a fresh `language` adapter already.

    With `live`, which encodes X by this base, it carries a fresh `vision` adapter too and both are
    trained. The sources must not switch adapters of this base: they are read one step ahead.
    """
    roles: tuple[Role, ...] = ("language",) if live is None else ("vision", "language")
    set_trainable(base, *roles)
    half = base.newline.dtype == torch.bfloat16
    if must_recompute(base.device, half):
        recompute(decoder_layers(base))
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
                None if live is None else live.pixels(group.clip),
            )
            for group in chosen
        ]

    return Training(
        objective=SftObjective(base, live),
        parameters={
            name: item for role in roles for name, item in adapter_parameters(base, role).items()
        },
        settings=settings.optimizer,
        plan=make_plan(groups, settings.optimizer, per_item=settings.questions_per_clip, seed=seed),
        load=load,
        device=base.device,
        half=half,
        name="sft",
    )
