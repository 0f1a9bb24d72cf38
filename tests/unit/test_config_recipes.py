"""Recipes against the method's tables 7.1 to 7.4, whose numbers are written out here again."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from lynx.config.stages import Recipe
from tests.unit.config_copy import ROOT, load

PAIRS = [("scanqa", "0.5b"), ("scanqa", "7b"), ("sqa3d", "0.5b"), ("sqa3d", "7b")]


def recipe_of(recipe: str, benchmark: str, scale: str) -> Recipe:
    return load({"recipe": recipe, "scale": scale}).recipes[benchmark]


@dataclass(frozen=True)
class Aligned:
    """A row of table 7.1: global batch is 8 per device x 4 steps x 3 cards."""

    name: str
    far_mm: int
    maps: int
    sources: tuple[str, ...]
    reference_frames: int = 20
    rate: float = 2e-5
    epochs: float = 10
    batch: int = 8 * 4 * 3
    micro_batch: int = 8


TABLE_7_1 = {
    ("scanqa", "0.5b"): Aligned("3d", 4000, 1, ("scanqa", "sqa3d")),
    ("sqa3d", "0.5b"): Aligned("3d", 4000, 1, ("scanqa", "sqa3d")),
    ("scanqa", "7b"): Aligned("scanqa", 10000, 1, ("scanqa",)),
    ("sqa3d", "7b"): Aligned("sqa3d", 10000, 2, ("sqa3d",)),
}


@pytest.mark.parametrize(("benchmark", "scale"), PAIRS)
def test_released_align(benchmark: str, scale: str) -> None:
    row, recipe = TABLE_7_1[benchmark, scale], recipe_of("released", benchmark, scale)
    align = recipe.align
    assert load({"recipe": "released", "scale": scale}).align_names[benchmark] == row.name
    assert align.drawing.clip_mm == (200, row.far_mm)
    assert align.drawing.encoding == "turbo+normals"
    assert align.drawing.normals_frame == "camera"
    assert (align.maps_per_item, align.sources) == (row.maps, row.sources)
    assert align.maps_per_item * align.drawing.images_per_map == 2 * row.maps
    assert recipe.reference.frames_per_clip == row.reference_frames
    assert (align.optimizer.learning_rate, align.optimizer.epochs) == (row.rate, row.epochs)
    assert (align.optimizer.batch, align.optimizer.micro_batch) == (row.batch, row.micro_batch)
    assert (align.attention_weight, align.moment_weight) == (1.0, 0.01)
    assert (align.frame_chunk, align.query_stride) == (4, 2)
    assert (align.lora.rank, align.lora.alpha, align.lora.dropout) == (64, 128, 0.05)


# benchmark, scale: frames, far mm, normals, rate, epochs; batch 1 x 4 x 3 in every row
TABLE_7_2 = {
    ("scanqa", "0.5b"): (20, 4000, "world", 5e-4, 1),
    ("scanqa", "7b"): (10, 10000, "camera", 5e-4, 2),
    ("sqa3d", "0.5b"): (20, 10000, "camera", 1e-4, 2),
    ("sqa3d", "7b"): (20, 10000, "camera", 1e-4, 1),
}


@pytest.mark.parametrize(("benchmark", "scale"), PAIRS)
def test_released_sft(benchmark: str, scale: str) -> None:
    sft = recipe_of("released", benchmark, scale).sft
    view, optimizer = sft.view, sft.optimizer
    assert (
        view.frames,
        view.drawing.clip_mm[1],
        view.drawing.normals_frame,
        optimizer.learning_rate,
        optimizer.epochs,
    ) == TABLE_7_2[benchmark, scale]
    assert (view.sampling, view.merge_pairs, view.pool_x) == ("pose", True, False)
    assert view.drawing.encoding == "turbo+normals"
    assert view.drawing.clip_mm[0] == 200
    assert (optimizer.batch, optimizer.micro_batch, sft.questions_per_clip) == (12, 1, 1)
    assert (sft.lora.rank, sft.lora.alpha, sft.lora.dropout) == (64, 16, 0.05)


# Table 7.3 and method section 6. SQA3D asks for 48 frames of the 32 that a scene has (S9).
TABLE_7_3 = {
    ("scanqa", "0.5b"): ("val", 32, 4000, "world", 32),
    ("scanqa", "7b"): ("val", 20, 10000, "camera", 32),
    ("sqa3d", "0.5b"): ("test", min(48, 32), 10000, "camera", 16),
    ("sqa3d", "7b"): ("test", min(48, 32), 10000, "camera", 16),
}


@pytest.mark.parametrize(("benchmark", "scale"), PAIRS)
def test_released_evaluate(benchmark: str, scale: str) -> None:
    evaluate = recipe_of("released", benchmark, scale).evaluate
    view = evaluate.view
    assert (
        evaluate.split,
        view.frames,
        view.drawing.clip_mm[1],
        view.drawing.normals_frame,
        evaluate.questions_per_batch,
    ) == TABLE_7_3[benchmark, scale]
    assert (evaluate.max_new_tokens, evaluate.min_new_tokens) == (32, 1)
    assert set(evaluate.differs_from_training) == {"frames"}


def test_released_stages_that_disagree_are_named() -> None:
    """S10: 0.5B ScanQA on world normals, 0.5B SQA3D at 10 m, both aligned otherwise."""
    named = {pair: set(recipe_of("released", *pair).sft.differs_from_alignment) for pair in PAIRS}
    assert named == {
        ("scanqa", "0.5b"): {"normals_frame"},
        ("sqa3d", "0.5b"): {"clip_mm"},
        ("scanqa", "7b"): set(),
        ("sqa3d", "7b"): set(),
    }


ALIGN_RATE_7_4 = {"0.5b": 2e-5, "7b": 5e-4}
SFT_EPOCHS_7_4 = {"scanqa": 1, "sqa3d": 2}
SPLIT_7_4 = {"scanqa": "val", "sqa3d": "test"}


@pytest.mark.parametrize(("benchmark", "scale"), PAIRS)
def test_paper(benchmark: str, scale: str) -> None:
    recipe = recipe_of("paper", benchmark, scale)
    align, sft, evaluate = recipe.align, recipe.sft, recipe.evaluate
    assert load({"recipe": "paper", "scale": scale}).align_names[benchmark] == "3d"
    assert align.optimizer.learning_rate == ALIGN_RATE_7_4[scale]
    assert (align.optimizer.epochs, align.optimizer.batch) == (10, 8)
    assert align.moment_weight == 0.01
    assert align.query_stride == 1
    assert (align.lora.rank, align.lora.alpha) == (64, 128)
    assert (sft.optimizer.learning_rate, sft.optimizer.batch) == (1e-4, 8)
    assert sft.optimizer.epochs == SFT_EPOCHS_7_4[benchmark]
    assert (sft.lora.rank, sft.lora.alpha) == (64, 16)
    assert sft.view.drawing.encoding == align.drawing.encoding == "turbo"
    assert sft.view.sampling == "uniform"
    assert not sft.view.merge_pairs
    assert not sft.view.pool_x
    assert evaluate.view == sft.view
    assert evaluate.split == SPLIT_7_4[benchmark]


@pytest.mark.parametrize("recipe", ["paper", "released"])
@pytest.mark.parametrize(("benchmark", "scale"), PAIRS)
def test_common_line_of_section_7(recipe: str, benchmark: str, scale: str) -> None:
    chosen = recipe_of(recipe, benchmark, scale)
    for optimizer in (chosen.align.optimizer, chosen.sft.optimizer):
        assert (optimizer.warmup_ratio, optimizer.weight_decay) == (0.03, 0.0)
        assert optimizer.max_grad_norm == 1.0
    assert (chosen.frames.per_scene, chosen.frames.size) == (32, 384)


SOURCE = re.compile(
    r"  # .*(method \d|\b7\.\d|7 common|\b[PS]\d+\b|unstated|Table 7|the paper names|no pairs)"
)
OPENS_MAPPING = re.compile(r"\s*[\w.]+:(\s+&\w+)?")


@pytest.mark.parametrize("recipe", ["paper", "released"])
def test_every_value_names_its_source(recipe: str) -> None:
    """Each line of the file that states a value ends with where the value is from."""
    text = (ROOT / f"config/recipes/{recipe}.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    values = [line for line in lines if not OPENS_MAPPING.fullmatch(line)]
    assert len(values) > 40
    assert [line for line in values if not SOURCE.search(line)] == []
