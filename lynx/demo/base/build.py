"""Build the tiny base from nothing: tokenizer, random weights, training, a folder to ship."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch

from lynx.demo.base.architecture import IMAGE_SIZE, TOKEN_SIDE, write_untrained
from lynx.demo.base.card import model_card
from lynx.demo.base.held_out import held_out_accuracy
from lynx.demo.base.scenes import render_scenes
from lynx.demo.base.tokenizer import save_tokenizer, train_tokenizer
from lynx.demo.base.train import (
    SEEN_WORDS,
    BaseTrainer,
    BaseTraining,
    LabelHeads,
    TrainingSet,
    encode_texts,
    save_base,
)
from lynx.model.base import Base, load_base
from lynx.model.chat import ChatEncoder

HELD_OUT_SCENES = 200
LOSS = "loss.json"  # beside the weights of a phase that is done
WORLD_SEED = 2606  # the demo's own world has another seed, so that no scene is shared

Phase = Literal["see", "answer"]
PHASES: tuple[Phase, ...] = ("see", "answer")

DEMO_BASE = BaseTraining(
    seed=0,
    scenes=4000,
    frames_per_scene=6,
    frames_per_clip=4,
    see_steps=3000,
    see_rate=1.5e-3,
    see_frames_per_step=80,
    named_weight=8.0,
    answer_steps=1400,
    answer_rate=1.5e-3,
    views=2,
    clips_per_step=16,
    texts_per_clip={"open": 5, "choice": 2, "dialog": 1, "guess": 1},
    weight_decay=0.01,
    warmup_steps=100,
)


def build_base(target: Path, state: Path, settings: BaseTraining, workers: int) -> None:
    """Train a base into the empty folder `target`.

    `state` holds the untrained base and the one that has learned to see, so that a training that
    was stopped goes on from the last whole phase, with the same result.
    """
    untrained, seen = state / "untrained", state / "seen"
    tokenizer = train_tokenizer(WORLD_SEED)
    untrained.mkdir(parents=True, exist_ok=True)
    save_tokenizer(tokenizer, untrained)
    write_untrained(untrained, tokenizer, settings.seed)
    encoder = ChatEncoder.load(untrained, cast(int, tokenizer.convert_tokens_to_ids("<image>")))
    indices = range(settings.scenes)
    scenes = list(
        render_scenes(WORLD_SEED, indices, settings.frames_per_scene, IMAGE_SIZE, workers)
    )
    data = TrainingSet(scenes, encode_texts(encoder, WORLD_SEED, indices), TOKEN_SIDE)
    del scenes
    if not seen.is_dir():
        trainer = _trainer(untrained, data, encoder, settings, "see")
        loss = trainer.see()
        half_done = state / "seen.partial"
        shutil.rmtree(half_done, ignore_errors=True)
        half_done.mkdir()
        save_base(trainer.base, untrained, half_done)
        (half_done / LOSS).write_text(json.dumps(loss), encoding="utf-8")
        half_done.rename(seen)
    trainer = _trainer(seen, data, encoder, settings, "answer")
    answer_loss = trainer.answer()
    target.mkdir(parents=True, exist_ok=True)
    save_base(trainer.base, untrained, target)
    held_out = measure(trainer.base, encoder, settings, workers)
    record = {
        "world_seed": WORLD_SEED,
        **asdict(settings),
        "threads": torch.get_num_threads(),
        "last_losses": {
            "see": json.loads((seen / LOSS).read_text(encoding="utf-8")),
            "answer": answer_loss,
        },
        "held_out": held_out,
    }
    (target / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (target / "README.md").write_text(model_card(held_out, len(tokenizer)), encoding="utf-8")


def _trainer(
    folder: Path, data: TrainingSet, encoder: ChatEncoder, settings: BaseTraining, phase: Phase
) -> BaseTrainer:
    """A trainer of the base in `folder`, with random numbers of the phase's own."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    base = load_base(folder, ["tower", "language"], dtype="float32", device=device)
    words = [_forms(encoder, word) for word in SEEN_WORDS]
    heads = LabelHeads(words, settings.named_weight).to(device)
    rng = np.random.default_rng([settings.seed, PHASES.index(phase)])
    return BaseTrainer(base, heads, data, settings, rng, device)


def measure(
    base: Base, encoder: ChatEncoder, settings: BaseTraining, workers: int
) -> dict[str, tuple[float, int]]:
    """EM@1 on scenes that follow the training scenes of the base's own world."""
    indices = range(settings.scenes, settings.scenes + HELD_OUT_SCENES)
    scenes = render_scenes(WORLD_SEED, indices, settings.frames_per_scene, IMAGE_SIZE, workers)
    by_index = dict(zip(indices, scenes, strict=True))
    return held_out_accuracy(base, encoder, WORLD_SEED, by_index, settings.frames_per_clip)


def _forms(encoder: ChatEncoder, word: str) -> tuple[int, int]:
    """The one token of a word at a text's start and the one inside a sentence."""
    (first,), (inside,) = (encoder.tokenizer.encode(form) for form in (word, f" {word}"))
    return first, inside
