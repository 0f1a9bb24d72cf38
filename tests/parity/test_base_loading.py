"""Base folders in every layout load equal to the library's `from_pretrained`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import LlavaOnevisionForConditionalGeneration

from lynx.model.base import Base, Part, load_base
from lynx.model.chat import ChatEncoder
from lynx.model.families.llava_onevision import describe
from tests.base_layouts import MIDDLE_NAMES, OLD_NAMES, change_json, relayout
from tests.tiny_base import write_tiny_base
from tests.tiny_model import CPU, encode, native, open_base, random_pixels

Tensors = dict[str, torch.Tensor]
BOTH: tuple[Part, ...] = ("tower", "language")


def contents(model: LlavaOnevisionForConditionalGeneration) -> Tensors:
    """All weights, and the buffers that no file stores."""
    return dict(model.state_dict()) | dict(model.named_buffers())


def assert_same(base: Base, model: LlavaOnevisionForConditionalGeneration) -> None:
    """Weight by weight and buffer by buffer, dtypes included."""
    ours, theirs = contents(base.model), contents(model)
    assert list(ours) == list(theirs)
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype, name
        assert torch.equal(ours[name], tensor), name
    tied = base.head.weight.data_ptr() == base.embedding.weight.data_ptr()
    assert tied is model.config.tie_word_embeddings


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_equals_from_pretrained(tmp_path: Path, tied: bool, dtype: str) -> None:
    """Every weight and buffer, in both dtypes, with a tied and an untied head."""
    folder = write_tiny_base(tmp_path / "base", tied=tied)
    base = load_base(folder, BOTH, dtype=dtype, device=CPU)
    model = LlavaOnevisionForConditionalGeneration.from_pretrained(
        folder, dtype=getattr(torch, dtype)
    )
    assert_same(base, model)
    assert not any(parameter.requires_grad for parameter in base.model.parameters())
    assert not any(module.training for module in base.model.modules())


def test_logits_equal_the_library(tiny_base: Path) -> None:
    """A whole forward pass, buffers at work."""
    ids = torch.arange(60)[None]
    with torch.no_grad():
        ours, theirs = open_base(tiny_base).model(ids).logits, native(tiny_base)(ids).logits
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("part", "there", "absent"),
    [
        ("tower", ("model.vision_tower.", "model.multi_modal_projector.", "model.image_newline"),
         ("model.language_model.", "lm_head.")),
        ("language", ("model.language_model.", "lm_head."),
         ("model.vision_tower.", "model.multi_modal_projector.", "model.image_newline")),
    ],
)  # fmt: skip
def test_a_part_leaves_the_rest_on_meta(
    tiny_base: Path, part: Part, there: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    """Section 9.5, point 2: what a stage does not need takes no memory."""
    expected = contents(native(tiny_base))
    tensors = contents(open_base(tiny_base, [part]).model)
    assert {name for name, item in tensors.items() if item.is_meta} == {
        name for name in tensors if name.startswith(absent)
    }
    for name, tensor in tensors.items():
        if name.startswith(there):
            assert torch.equal(tensor, expected[name]), name


@pytest.mark.parametrize("part", ["tower", "language"])
def test_a_part_computes_as_the_whole(tiny_base: Path, part: Part) -> None:
    """Tokens from the tower alone, logits from the language model alone."""
    base, whole = open_base(tiny_base, [part]), open_base(tiny_base)
    if part == "tower":
        pixels = random_pixels(1, 3, 3, 42, 42)
        assert torch.equal(encode(base, pixels, on=False), encode(whole, pixels, on=False))
    else:
        with torch.no_grad():
            outs = [each.head(each.language(torch.arange(20)[None])[0]) for each in (base, whole)]
        assert torch.equal(outs[0], outs[1])


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("names", [OLD_NAMES, MIDDLE_NAMES, ()], ids=["4.45", "4.52", "5"])
def test_layouts(
    tmp_path: Path, names: tuple[tuple[str, str], ...], tied: bool, shards: int
) -> None:
    """The hub's old names, the later ones, this version's; one file or two behind an index."""
    source = write_tiny_base(tmp_path / "source", tied=tied)
    folder = relayout(source, tmp_path / "base", names, shards=shards)
    files = sorted(folder.glob("*.safetensors"))
    assert len(files) == shards
    keys = {name for file in files for name in load_file(file)}
    if names is OLD_NAMES:
        assert "vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight" in keys
        assert "language_model.model.layers.0.self_attn.q_proj.weight" in keys
        assert {"multi_modal_projector.linear_1.weight", "image_newline"} <= keys
        assert ("language_model.lm_head.weight" in keys) is not tied
    base = open_base(folder)
    assert_same(base, native(source))
    if shards == 1 or names is OLD_NAMES:  # what the library itself reads of these names
        assert_same(base, native(folder))


def test_hub_folder(tmp_path: Path) -> None:
    """config.json, preprocessor and template where the hub's 7B folder has them."""
    source = write_tiny_base(tmp_path / "source", tied=False)
    folder = relayout(source, tmp_path / "base", OLD_NAMES, shards=2)
    (folder / "video_preprocessor_config.json").rename(folder / "preprocessor_config.json")
    image = {
        "do_convert_rgb": True,
        "image_processor_type": "LlavaOnevisionImageProcessor",
        "processor_class": "LlavaOnevisionProcessor",
        "image_grid_pinpoints": [[42, 42], [42, 84]],
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
    }
    change_json(folder / "preprocessor_config.json", lambda data: data.pop("video_processor_type"))
    change_json(folder / "preprocessor_config.json", lambda data: data.update(image))
    template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    (folder / "chat_template.jinja").unlink()
    change_json(folder / "tokenizer_config.json", lambda data: data.update(chat_template=template))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["image_token_index"] == 259
    assert "image_token_id" not in config
    base = open_base(folder)
    assert_same(base, native(source))
    encoder = ChatEncoder.load(folder, base.info.image_token_id)
    assert encoder.encode([("q", "a")], answer_last=True).suffix_ids[-2] == base.info.end_token_id
    frames = np.random.default_rng(0).integers(0, 256, (2, 42, 42, 3), dtype=np.uint8)
    pixels = base.processor()(frames)  # already of the right size: only rescale and normalise
    expected = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255 * 2 - 1
    torch.testing.assert_close(pixels, expected, atol=1e-5, rtol=0)


def test_info(tiny_base: Path) -> None:
    """What a folder says about its base."""
    info = describe(tiny_base)
    assert (info.image_size, info.grid, info.patches, info.tokens_per_frame) == (42, 6, 36, 9)
    assert (info.vision_width, info.vision_heads, info.vision_blocks) == (32, 4, 3)
    assert (info.text_width, info.image_token_id, info.end_token_id) == (48, 259, 258)
