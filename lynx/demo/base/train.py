"""Train the tiny base from scratch on rendered colour frames (no depth is ever shown to it).

First tower and projector learn to see: each pooled token names the furniture, surfaces and colours
in its cell by its inner product with those words' embeddings, so that what is seen already speaks
the language model's language; answers alone would take hours to teach that. Then, tower frozen, the
language model learns to answer.

Shape legend: B clips, F frames, T tokens per frame, D width, P image side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from lynx.demo.base.scenes import SceneFrames
from lynx.demo.base.texts import POOLS, Pool, scene_texts
from lynx.demo.world.furniture import CATEGORIES
from lynx.demo.world.palette import COLOURS
from lynx.demo.world.raycast import SURFACES
from lynx.model.base import Base
from lynx.model.chat import ChatEncoder, EncodedChat
from lynx.model.sequence import answer_loss, collate, pack_clip
from lynx.model.tower import clip_tokens, close_clip

SEEN_WORDS = (*CATEGORIES, *SURFACES, *COLOURS)


@dataclass(frozen=True)
class BaseTraining:
    """How the tiny base is trained; `build.py` holds the numbers."""

    seed: int
    scenes: int
    frames_per_scene: int
    frames_per_clip: int
    see_steps: int
    see_rate: float
    see_frames_per_step: int
    named_weight: float
    answer_steps: int
    answer_rate: float
    views: int
    clips_per_step: int
    texts_per_clip: dict[Pool, int]
    weight_decay: float
    warmup_steps: int


SceneTexts = dict[Pool, list[EncodedChat]]


class TrainingSet:
    """All scenes in memory: frames (C, K, P, P, 3) uint8, token labels (C, K, T, words) bool."""

    def __init__(self, scenes: list[SceneFrames], texts: list[SceneTexts], side: int) -> None:
        self.frames = np.stack([scene.frames for scene in scenes])
        self.labels = np.stack([token_labels(scene, side) for scene in scenes])
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)


def token_labels(scene: SceneFrames, side: int) -> NDArray[np.bool_]:
    """Which of `SEEN_WORDS` apply to each token's cell (K, side², words).

    Furniture and its colour from a tenth of the cell on; a surface, and the colour of floor or
    wall, where it fills half of it, so that the colours of furniture stay its own.
    """

    def shares(labels: NDArray[np.int8], values: int) -> NDArray[np.float64]:
        count, size = labels.shape[0], labels.shape[1] // side
        view = labels.reshape(count, side, size, side, size).swapaxes(2, 3)
        found = [(view == value).mean(axis=(3, 4)) for value in range(1, values + 1)]
        return np.stack(found, axis=-1).reshape(count, side * side, values)

    category = shares(scene.category, len(CATEGORIES)) > 0.1
    colour = shares(scene.colour, len(COLOURS)) > 0.1
    surface = shares(scene.surface, len(SURFACES)) > 0.5
    colour[..., scene.floor_colour] |= surface[..., SURFACES.index("floor")]
    colour[..., scene.wall_colour] |= surface[..., SURFACES.index("wall")]
    return np.concatenate([category, surface, colour], axis=-1)


def encode_texts(encoder: ChatEncoder, seed: int, indices: range) -> list[SceneTexts]:
    """Tokenise every conversation about every scene once."""
    encoded: list[SceneTexts] = []
    for index in tqdm(indices, desc="tokenise", unit="scene", mininterval=1.0):
        texts: SceneTexts = {pool: [] for pool in POOLS}
        for text in scene_texts(seed, index):
            texts[text.pool].append(encoder.encode(text.turns, answer_last=True))
        encoded.append(texts)
    return encoded


def rate_factor(step: int, steps: int, warmup_steps: int) -> float:
    """Linear warm-up, then cosine decay to zero."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    done = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * done))


class LabelHeads(nn.Module):
    """Names what tokens show; only a scale and biases are its own, and are dropped after.

    `words` (n, 2) are the embedding rows of the label words: as an answer begins with them, and as
    they stand inside a sentence.
    """

    words: torch.Tensor
    named_weight: torch.Tensor

    def __init__(self, words: list[tuple[int, int]], named_weight: float) -> None:
        super().__init__()
        self.register_buffer("words", torch.tensor(words))
        # A word applies to one token in twenty: unweighted, naming nothing is nearly right.
        self.register_buffer("named_weight", torch.full((len(words),), named_weight))
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.bias = nn.Parameter(torch.full((len(words),), -2.0))

    def loss(
        self, embedding: nn.Embedding, tokens: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """For tokens (B, F, T, D) and token labels (B, F, T, n)."""
        words = F.normalize(embedding(self.words).sum(dim=1), dim=-1)
        scores = self.scale * (F.normalize(tokens, dim=-1) @ words.T) + self.bias
        return F.binary_cross_entropy_with_logits(
            scores, labels.float(), pos_weight=self.named_weight
        )


@dataclass
class BaseTrainer:
    """The base, its label heads and the data of one training."""

    base: Base
    heads: LabelHeads
    data: TrainingSet
    settings: BaseTraining
    rng: np.random.Generator
    device: torch.device

    def see(self) -> float:
        """Train tower, projector, newline and word embeddings to name what they show, in place.

        Gives the last loss.
        """
        base, settings = self.base, self.settings
        base.model.requires_grad_(True).train()
        seeing = [*base.tower.parameters(), *base.projector.parameters(), base.newline]
        seeing += [base.embedding.weight, *self.heads.parameters()]
        loss = self._phase("see", settings.see_steps, settings.see_rate, seeing, self._see)
        base.model.requires_grad_(False).eval()
        return loss

    def answer(self) -> float:
        """Train the language model on the frozen tower's tokens, in place; gives the last loss."""
        base, settings = self.base, self.settings
        base.model.requires_grad_(False).eval()
        streams = self._encode_all()
        base.language.requires_grad_(True).train()
        parameters = list(base.language.parameters())
        loss = self._phase(
            "answer",
            settings.answer_steps,
            settings.answer_rate,
            parameters,
            lambda: self._answer(streams),
        )
        base.model.requires_grad_(False).eval()
        return loss

    def _phase(
        self,
        name: str,
        steps: int,
        rate: float,
        parameters: Sequence[nn.Parameter | torch.Tensor],
        loss_of_batch: Callable[[], torch.Tensor],
    ) -> float:
        settings = self.settings
        optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=settings.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_factor(step, steps, settings.warmup_steps)
        )
        losses: list[float] = []
        progress = tqdm(range(steps), desc=name, unit="step", mininterval=1.0)
        for _ in progress:
            loss = loss_of_batch()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
            if len(losses) % 50 == 0:
                progress.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}")
        return float(np.mean(losses[-50:]))

    def _tokens(self, clips: NDArray[np.int64], places: NDArray[np.int64]) -> torch.Tensor:
        """Tokens (B, F, T, D) of the frames `places` (B, F) of `clips` (B,)."""
        frames = torch.from_numpy(self.data.frames[clips[:, None], places]).to(self.device)
        pixels = frames.permute(0, 1, 4, 2, 3).float() / 127.5 - 1
        return clip_tokens(self.base, pixels, frame_chunk=places.shape[1])

    def _places(self, clips: int, wanted: int) -> NDArray[np.int64]:
        """`wanted` frames drawn for each clip (B, F), in time order."""
        kept = self.data.frames.shape[1]
        return np.stack([np.sort(self.rng.permutation(kept)[:wanted]) for _ in range(clips)])

    def _see(self) -> torch.Tensor:
        """The label loss of one batch: one frame of each clip, since its others look alike."""
        data = self.data
        clips = self.rng.integers(len(data), size=self.settings.see_frames_per_step)
        places = self._places(len(clips), 1)
        labels = torch.from_numpy(data.labels[clips[:, None], places]).to(self.device)
        return self.heads.loss(self.base.embedding, self._tokens(clips, places), labels)

    @torch.no_grad()
    def _encode_all(self) -> torch.Tensor:
        """Streams (views, C, V, D): every scene in several draws of its frames, tower frozen."""
        views = []
        for _ in range(self.settings.views):
            places = self._places(len(self.data), self.settings.frames_per_clip)
            parts = [
                close_clip(self._tokens(part, places[part]), self.base.newline)
                for part in np.array_split(np.arange(len(self.data)), max(1, len(self.data) // 32))
            ]
            views.append(torch.cat(parts))
        return torch.stack(views)

    def _answer(self, streams: torch.Tensor) -> torch.Tensor:
        """The answer loss of one batch of clips with their packed questions."""
        data, settings, base = self.data, self.settings, self.base
        clips = self.rng.integers(len(data), size=settings.clips_per_step)
        views = self.rng.integers(len(streams), size=len(clips))
        packed = [
            pack_clip(base.embedding, [streams[view, clip]], self._chosen(data.texts[clip]))
            for view, clip in zip(views, clips, strict=True)
        ]
        return answer_loss(base.language, base.head, collate(packed))

    def _chosen(self, texts: SceneTexts) -> list[EncodedChat]:
        """Mostly what can be answered; a little that cannot, to make its words known."""
        return [
            texts[pool][i]
            for pool, count in self.settings.texts_per_clip.items()
            for i in self.rng.permutation(len(texts[pool]))[:count]
        ]


def save_base(base: Base, source: Path, target: Path) -> None:
    """Write the trained base as a Hugging Face folder, tokenizer and processor from `source`."""
    base.model.save_pretrained(target)
    for path in sorted(source.iterdir()):
        if path.name not in {"config.json", "model.safetensors", "generation_config.json"}:
            (target / path.name).write_bytes(path.read_bytes())
