"""Train the tiny base from scratch on rendered colour frames (no depth is ever shown to it).

First the tower and projector alone learn to name what each pooled token shows (furniture, its colour)
and what each frame shows (colours of floor and walls), by heads that are dropped afterwards; answers
alone would take hours to teach that. Then everything learns to answer, with those heads beside it.

Shape legend: B clips, F frames, T tokens per frame, D width, P image side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from lynx.demo.base.scenes import SceneFrames, user_texts
from lynx.demo.world.furniture import CATEGORIES
from lynx.demo.world.palette import COLOURS
from lynx.model.base import Base
from lynx.model.chat import ChatEncoder, EncodedChat
from lynx.model.sequence import answer_loss, collate, pack_clip
from lynx.model.tower import clip_tokens, close_clip


@dataclass(frozen=True)
class BaseTraining:
    """How the tiny base is trained; `config/scales/demo.yaml` holds the numbers."""

    seed: int
    scenes: int
    frames_per_scene: int
    frames_per_clip: int
    label_steps: int
    steps: int
    clips_per_step: int
    colour_questions: int
    depth_questions: int
    learning_rate: float
    weight_decay: float
    warmup_steps: int
    label_weight: float


@dataclass(frozen=True)
class SceneTexts:
    """A scene's encoded questions by what they need."""

    colour: list[EncodedChat]
    depth: list[EncodedChat]


class TrainingSet:
    """All scenes in memory: frames (C, K, P, P, 3) uint8, token labels (C, K, T, labels) bool,
    colour numbers of floor and walls (C, 2)."""

    def __init__(
        self, scenes: list[SceneFrames], texts: list[SceneTexts], side: int
    ) -> None:
        self.frames = np.stack([scene.frames for scene in scenes])
        self.labels = np.stack([token_labels(scene, side) for scene in scenes])
        self.surfaces = np.array([scene.surfaces for scene in scenes])
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)


def token_labels(scene: SceneFrames, side: int) -> NDArray[np.bool_]:
    """Which categories and colours fill at least a tenth of each pooled token's cell (K, side², n)."""

    def cells(labels: NDArray[np.int8], values: int) -> NDArray[np.float64]:
        count, size = labels.shape[0], labels.shape[1] // side
        view = labels.reshape(count, side, size, side, size).swapaxes(2, 3)
        shares = [(view == value).mean(axis=(3, 4)) for value in range(1, values + 1)]
        return np.stack(shares, axis=-1).reshape(count, side * side, values)

    category = cells(scene.category, len(CATEGORIES))
    return np.concatenate([category, cells(scene.colour, len(COLOURS))], axis=-1) > 0.1


def encode_texts(encoder: ChatEncoder, seed: int, indices: range) -> list[SceneTexts]:
    """Tokenise every question of every scene once."""
    return [
        SceneTexts(
            *(
                [
                    encoder.encode([(text.prompt, text.answer)], answer_last=True)
                    for text in user_texts(seed, index)
                    if text.needs == need
                ]
                for need in ("colour", "depth")
            )
        )
        for index in tqdm(indices, desc="tokenise", unit="scene", mininterval=1.0)
    ]


def rate_factor(step: int, steps: int, warmup_steps: int) -> float:
    """Linear warm-up, then cosine decay to zero."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    done = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * done))


class LabelHeads(nn.Module):
    """Names what tokens and frames show; trained beside the base, then dropped."""

    def __init__(self, width: int, labels: int) -> None:
        super().__init__()
        self.tokens = nn.Linear(width, labels)
        self.surfaces = nn.Linear(width, 2 * len(COLOURS))

    def loss(
        self, tokens: torch.Tensor, labels: torch.Tensor, surfaces: torch.Tensor
    ) -> torch.Tensor:
        """For tokens (B, F, T, D), token labels (B, F, T, n) and surface colours (B, 2)."""
        named = F.binary_cross_entropy_with_logits(self.tokens(tokens), labels.float())
        scores = self.surfaces(tokens.mean(dim=2)).unflatten(-1, (2, len(COLOURS)))
        targets = surfaces[:, None, :].expand(scores.shape[:3])
        return named + F.cross_entropy(scores.flatten(0, 2), targets.flatten())


@dataclass
class BaseTrainer:
    """The base, its label heads and the data of one training."""

    base: Base
    heads: LabelHeads
    data: TrainingSet
    settings: BaseTraining
    rng: np.random.Generator
    device: torch.device

    def run(self) -> dict[str, list[float]]:
        """Train in place; gives the label losses of the first phase, answer losses of the second."""
        self.base.model.requires_grad_(True).train()
        settings, model = self.settings, self.base.model
        seeing = [*self.base.tower.parameters(), *self.base.projector.parameters()]
        heads = list(self.heads.parameters())
        labels = self._phase("see", settings.label_steps, [*seeing, *heads], answers=False)
        answers = self._phase("answer", settings.steps, [*model.parameters(), *heads], answers=True)
        model.requires_grad_(False).eval()
        return {"labels": labels, "answers": answers}

    def _phase(
        self, name: str, steps: int, parameters: list[nn.Parameter], *, answers: bool
    ) -> list[float]:
        settings = self.settings
        optimizer = torch.optim.AdamW(
            parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_factor(step, steps, settings.warmup_steps)
        )
        losses: list[float] = []
        progress = tqdm(range(steps), desc=name, unit="step", mininterval=1.0)
        for _ in progress:
            loss, shown = self._loss(answers=answers)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            losses.append(shown)
            if len(losses) % 50 == 0:
                progress.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}")
        return losses

    def _loss(self, *, answers: bool) -> tuple[torch.Tensor, float]:
        """The loss of one batch of clips, and the part of it that is shown."""
        data, settings, base = self.data, self.settings, self.base
        clips = self.rng.integers(len(data), size=settings.clips_per_step)
        kept, wanted = data.frames.shape[1], settings.frames_per_clip
        places = np.stack([np.sort(self.rng.permutation(kept)[:wanted]) for _ in clips])
        frames = torch.from_numpy(data.frames[clips[:, None], places]).to(self.device)
        pixels = frames.permute(0, 1, 4, 2, 3).float() / 127.5 - 1
        tokens = clip_tokens(base, pixels, frame_chunk=wanted)
        labels = torch.from_numpy(data.labels[clips[:, None], places]).to(self.device)
        surfaces = torch.from_numpy(data.surfaces[clips]).to(self.device)
        named = self.heads.loss(tokens, labels, surfaces)
        if not answers:
            return named, float(named.detach())
        streams = close_clip(tokens, base.newline)
        packed = [
            pack_clip(base.embedding, [stream], self._chosen(data.texts[clip]))
            for clip, stream in zip(clips, streams, strict=True)
        ]
        answered = answer_loss(base.language, base.head, collate(packed))
        return answered + settings.label_weight * named, float(answered.detach())

    def _chosen(self, texts: SceneTexts) -> list[EncodedChat]:
        """Mostly questions that can be answered; a few that cannot, so that their words are known."""
        settings = self.settings
        colour = self.rng.permutation(len(texts.colour))[: settings.colour_questions]
        depth = self.rng.permutation(len(texts.depth))[: settings.depth_questions]
        return [texts.colour[i] for i in colour] + [texts.depth[i] for i in depth]


def save_base(base: Base, source: Path, target: Path) -> None:
    """Write the trained base as a Hugging Face folder; tokenizer and processor come from `source`."""
    base.model.save_pretrained(target)
    for path in sorted(source.iterdir()):
        if path.name not in {"config.json", "model.safetensors", "generation_config.json"}:
            (target / path.name).write_bytes(path.read_bytes())
