"""What every measure works on: a random base, rendered scenes with questions, adapters, features.

Weights are random, so the answers mean nothing; shapes, files and settings are the demo's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from lynx.align.items import ClipItem
from lynx.align.reference import ReferenceBuilder
from lynx.benchmarks.sample import Sample, Turn, read_samples, write_samples
from lynx.config.files import Stream
from lynx.config.loading import load_experiment
from lynx.config.stages import LoraSettings, Recipe
from lynx.demo.base.architecture import write_untrained
from lynx.demo.base.tokenizer import save_tokenizer, train_tokenizer
from lynx.demo.world import build_scene, scanqa_questions
from lynx.demo.world.scannet_files import write_scene
from lynx.features.clips import video_pixels
from lynx.features.encode import StreamEncoder
from lynx.features.stage import FRAME_CHUNK
from lynx.features.store import write_store
from lynx.media.shelf import SCANS, SceneShelf
from lynx.media.square_frames import prepare_scene
from lynx.model.adapters import Role, adapter_parameters, add_adapter, load_adapter, save_adapter
from lynx.model.base import Base, Part, load_base
from lynx.model.chat import ChatEncoder

ROOT = Path(__file__).parents[1]
CPU = torch.device("cpu")
SEED = 11
SOURCE = "scanqa"
STREAMS: tuple[Stream, Stream] = ("video", "aligned")
WEIGHT_STD = 0.1  # wider than an untrained base's, so that greedy answers differ by question


@dataclass(frozen=True)
class Workbench:
    """A prepared folder: `base`, `scans`, `vision`, `reference`, `features` and `samples.jsonl`."""

    folder: Path
    recipe: Recipe
    samples: list[Sample]

    @classmethod
    def open(cls, folder: Path) -> Workbench:
        """Open what `prepare` wrote."""
        return cls(folder, demo_recipe(), read_samples(folder / "samples.jsonl"))

    @property
    def shelf(self) -> SceneShelf:
        """Where the clips are taken from."""
        return SceneShelf(self.folder)

    @property
    def align_items(self) -> list[ClipItem]:
        """The items of one epoch of stage 2."""
        return [
            ClipItem(SOURCE, clip, places)
            for clip in self.clips
            for places in self.shelf.open(clip).items(self.recipe.align.steps_per_item)
        ]

    @property
    def clips(self) -> list[str]:
        """Clip ids in the order of the samples."""
        return list(dict.fromkeys(sample.clip for sample in self.samples))

    def load(self, parts: Iterable[Part], *, vision: bool = False) -> Base:
        """The base in float32 with the given parts; with `vision`, the random adapter on it."""
        base = load_base(self.folder / "base", parts, dtype="float32", device=CPU)
        if vision:
            load_adapter(base, "vision", self.folder / "vision")
        return base

    def chat_encoder(self, base: Base) -> ChatEncoder:
        """The base's tokenizer and template."""
        return ChatEncoder.load(self.folder / "base", base.info.image_token_id)

    def encoder(self, base: Base, stream: Stream) -> StreamEncoder:
        """The package's encoder of one stream, as sft sees it."""
        view = self.recipe.sft.view
        return StreamEncoder(base, base.processor(), self.shelf, stream, view, FRAME_CHUNK)


def demo_recipe() -> Recipe:
    """ScanQA at the demo scale, one epoch, and no LoRA dropout, so that both paths can be equal."""
    experiment = load_experiment([Path("config/config.yaml")], {"scale": "demo"}, ROOT)
    recipe = experiment.recipes["scanqa"]
    data = recipe.model_dump()
    for stage in ("align", "sft"):
        data[stage]["lora"]["dropout"] = 0.0
        data[stage]["optimizer"]["epochs"] = 1.0
    return Recipe.model_validate(data)


def write_random_base(folder: Path) -> None:
    """A base of the demo's shape (56 px, patch 8, tower 3 x 128, LM 4 x 160), never trained."""
    folder.mkdir(parents=True)
    tokenizer = train_tokenizer(SEED)
    save_tokenizer(tokenizer, folder)
    write_untrained(folder, tokenizer, SEED)
    path = folder / "model.safetensors"
    generator = torch.Generator().manual_seed(SEED)
    tensors = load_file(path)
    for name, tensor in tensors.items():
        if tensor.dim() > 1 or "newline" in name:
            tensors[name] = torch.randn(tensor.shape, generator=generator) * WEIGHT_STD
    save_file(tensors, path, metadata={"format": "pt"})


def prepare(folder: Path, *, scenes: int, questions: int | None = None) -> Workbench:
    """Fill `folder`, which holds a `base` already, with all that the paths read."""
    recipe, samples = demo_recipe(), []
    for index in range(scenes):
        scene = build_scene(SEED, index)
        with tempfile.TemporaryDirectory() as raw:
            write_scene(Path(raw), scene, recipe.frames.per_scene + 1)
            target = folder / SCANS / scene.scene_id
            source = Path(raw) / scene.scene_id
            prepare_scene(source, target, recipe.frames.per_scene, recipe.frames.size)
        samples += [
            Sample(
                id=f"{scene.scene_id}-{number}",
                clip=scene.scene_id,
                turns=(Turn(question=item.text, answer=item.answers[0]),),
                references=item.answers,
            )
            for number, item in enumerate(scanqa_questions(scene)[:questions])
        ]
    write_samples(folder / "samples.jsonl", samples)
    bench = Workbench(folder, recipe, samples)
    _write_vision(bench)
    _write_reference(bench)
    base = bench.load(["tower"], vision=True)
    for stream in STREAMS:
        (folder / "features" / stream).mkdir(parents=True)
        encoder = bench.encoder(base, stream)
        streams = ((clip, encoder.encode(clip)) for clip in bench.clips)
        write_store(folder / "features" / stream, streams)
    return bench


def random_adapter(base: Base, role: Role, lora: LoraSettings) -> PeftModel:
    """Add an adapter whose A and B are both random, the same on every base."""
    adapter = add_adapter(base, role, lora, seed=SEED)
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for parameter in adapter_parameters(base, role).values():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * WEIGHT_STD)
    return adapter


def _write_vision(bench: Workbench) -> None:
    adapter = random_adapter(bench.load(["tower"]), "vision", bench.recipe.align.lora)
    save_adapter(adapter, "vision", bench.folder / "vision")


def _write_reference(bench: Workbench) -> None:
    base = bench.load(["tower"])
    processor, builder = base.processor(), ReferenceBuilder(base.info)
    for clip in bench.clips:
        view, opened = bench.recipe.sft.view, bench.shelf.open(clip)
        pixels = video_pixels(processor, opened, opened.choose(view.frames, view.sampling))
        builder.add(base, pixels[None], frame_chunk=FRAME_CHUNK)
    (bench.folder / "reference").mkdir()
    builder.save(bench.folder / "reference")
