"""The four paths as the package runs them.

A path opens what it needs and gives a callable that does one unit of work: the same call is checked
for its result, then timed. Shape legend: V tokens of a stream, D language model width.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import torch

from benchmarks.workbench import SEED, SOURCE, STREAMS, Workbench, random_adapter
from lynx.align.reference import load_reference
from lynx.align.train import align_training
from lynx.artifacts.manifest import list_files
from lynx.benchmarks.scanqa import prompt
from lynx.evaluate.predict import answer_all, generated
from lynx.features.store import StoredTokens, write_store
from lynx.model.adapters import add_adapter
from lynx.sft.dataset import group_by_clip
from lynx.sft.train import sft_training
from lynx.training.loop import Batch, Item, Training, run_training


def features(bench: Workbench) -> Callable[[], list[torch.Tensor]]:
    """Both streams (V, D) of every clip; the tower alone is loaded."""
    base = bench.load(["tower"], vision=True)
    encoders = [bench.encoder(base, stream) for stream in STREAMS]
    return lambda: [encoder.encode(clip) for clip in bench.clips for encoder in encoders]


def align(bench: Workbench) -> Callable[[], list[float]]:
    """One epoch of stage 2, its log included; the loss of every step."""
    base, settings = bench.load(["tower"]), bench.recipe.align
    add_adapter(base, "vision", settings.lora, seed=SEED)
    reference = load_reference(bench.folder / "reference", base.info, base.device)
    processor = base.processor()
    shelves = {SOURCE: bench.shelf}
    training = align_training(
        base, reference, bench.align_items, shelves, processor, settings, SEED
    )
    return lambda: _train_anew(training)


def sft(bench: Workbench) -> Callable[[], list[float]]:
    """One epoch of stage 3 from stored streams, its log included; the loss of every step."""
    base, settings = bench.load(["language"]), bench.recipe.sft
    add_adapter(base, "language", settings.lora, seed=SEED)
    groups = group_by_clip(bench.samples, prompt, settings.questions_per_clip)
    chats = bench.chat_encoder(base)
    training = sft_training(base, _stored(bench.folder), groups, chats, settings, SEED)
    return lambda: _train_anew(training)


def sft_and_encoding(bench: Workbench) -> Callable[[], list[float]]:
    """As `sft`, and every clip is encoded and stored anew first, for this one epoch alone."""
    tower, train = bench.load(["tower"], vision=True), sft(bench)
    encoders = {stream: bench.encoder(tower, stream) for stream in STREAMS}

    def run() -> list[float]:
        with tempfile.TemporaryDirectory() as folder:
            for stream, encoder in encoders.items():
                (Path(folder) / stream).mkdir()
                streams = ((clip, encoder.encode(clip)) for clip in bench.clips)
                write_store(Path(folder) / stream, streams)
        return train()

    return run


def predict(bench: Workbench) -> Callable[[], dict[str, str]]:
    """Answers by sample id from stored streams, written as they come, for a restart."""
    base = bench.load(["language"])
    random_adapter(base, "language", bench.recipe.sft.lora)
    sources, chats = _stored(bench.folder), bench.chat_encoder(base)
    answer = generated(base, chats, bench.recipe.evaluate)
    per_batch = bench.recipe.evaluate.questions_per_batch

    def run() -> dict[str, str]:
        with tempfile.TemporaryDirectory() as state:
            return answer_all(answer, sources, chats, bench.samples, prompt, per_batch, Path(state))

    return run


def _stored(folder: Path) -> list[StoredTokens]:
    folders = [folder / "features" / stream for stream in STREAMS]
    return [StoredTokens.open(each, list_files(each)) for each in folders]


def _train_anew(training: Training[Item, Batch]) -> list[float]:
    """Train from the adapter's first weights, and put them back."""
    first = {name: item.detach().clone() for name, item in training.parameters.items()}
    # A run writes twenty checkpoints. One of a few steps would write one at each, so none is timed.
    no_checkpoints = patch("lynx.training.engine.save_checkpoint")
    with tempfile.TemporaryDirectory() as state, no_checkpoints:
        records = run_training(training, Path(state))
    with torch.no_grad():
        for name, item in training.parameters.items():
            item.copy_(first[name])
    return [record["loss"] for record in records]
