"""Build the tiny base from nothing: tokenizer, random weights, training, a folder to ship."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from lynx.demo.base.architecture import IMAGE_SIZE, TOKEN_SIDE, write_untrained
from lynx.demo.base.card import model_card
from lynx.demo.base.held_out import held_out_accuracy
from lynx.demo.base.scenes import render_scenes
from lynx.demo.base.tokenizer import save_tokenizer, train_tokenizer
from lynx.demo.base.train import (
    BaseTrainer,
    BaseTraining,
    LabelHeads,
    TrainingSet,
    encode_texts,
    save_base,
)
from lynx.demo.world.furniture import CATEGORIES
from lynx.demo.world.palette import COLOURS
from lynx.model.base import Base, load_base
from lynx.model.chat import ChatEncoder

HELD_OUT_SCENES = 200
WORLD_SEED = 2606  # the demo's own world has another seed, so that no scene is shared

DEMO_BASE = BaseTraining(
    seed=0,
    scenes=3000,
    frames_per_scene=6,
    frames_per_clip=4,
    see_steps=600,
    see_rate=1e-3,
    answer_steps=1000,
    answer_rate=1.5e-3,
    views=2,
    clips_per_step=20,
    colour_questions=5,
    depth_questions=1,
    weight_decay=0.01,
    warmup_steps=100,
)


def build_base(target: Path, scratch: Path, settings: BaseTraining, workers: int) -> None:
    """Train a base into the empty folder `target`; `scratch` holds the untrained one meanwhile."""
    scratch.mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer(WORLD_SEED)
    save_tokenizer(tokenizer, scratch)
    write_untrained(scratch, tokenizer, settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    base = load_base(scratch, ["tower", "language"], dtype="float32", device=device)
    indices = range(settings.scenes)
    scenes = list(
        render_scenes(WORLD_SEED, indices, settings.frames_per_scene, IMAGE_SIZE, workers)
    )
    encoder = ChatEncoder.load(scratch, base.info.image_token_id)
    data = TrainingSet(scenes, encode_texts(encoder, WORLD_SEED, indices), TOKEN_SIDE)
    del scenes
    words = [_forms(encoder, word) for word in (*CATEGORIES, *COLOURS)]
    heads = LabelHeads(base.info.text_width, words).to(device)
    rng = np.random.default_rng(settings.seed)
    losses = BaseTrainer(base, heads, data, settings, rng, device).run()
    target.mkdir(parents=True, exist_ok=True)
    save_base(base, scratch, target)
    held_out = measure(base, encoder, settings, workers)
    record = {
        "world_seed": WORLD_SEED,
        **asdict(settings),
        "threads": torch.get_num_threads(),
        "last_losses": {name: float(np.mean(values[-50:])) for name, values in losses.items()},
        "held_out": held_out,
    }
    (target / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (target / "README.md").write_text(model_card(held_out), encoding="utf-8")


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
