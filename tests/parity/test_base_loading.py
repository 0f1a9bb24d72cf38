"""Base folders: equal to the library's `from_pretrained`, in every layout, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlavaOnevisionForConditionalGeneration

from lynx.errors import InputError
from lynx.model.base import Base, Part, load_base
from lynx.model.chat import ChatEncoder
from lynx.model.families.llava_onevision import describe
from tests.tiny_base import write_tiny_base
from tests.tiny_model import CPU, encode, native, open_base, random_pixels

Tensors = dict[str, torch.Tensor]
BOTH: tuple[Part, ...] = ("tower", "language")
OLD_NAMES = (  # transformers 4.45, the hub's files
    ("model.vision_tower.", "vision_tower.vision_model."),
    ("model.language_model.", "language_model.model."),
    ("lm_head.", "language_model.lm_head."),
    ("model.multi_modal_projector.", "multi_modal_projector."),
    ("model.image_newline", "image_newline"),
)
MIDDLE_NAMES = (("model.vision_tower.", "model.vision_tower.vision_model."),)  # 4.52 and later


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


def relayout(
    source: Path, target: Path, names: tuple[tuple[str, str], ...], *, shards: int = 1
) -> Path:
    """A copy of a base whose tensors carry an older transformers' names."""
    shutil.copytree(source, target)
    (target / "model.safetensors").unlink()
    model = native(source)
    state = model.state_dict()
    if model.config.tie_word_embeddings:
        del state["lm_head.weight"]
    renamed = {}
    for name, tensor in state.items():
        old = next(
            (new + name.removeprefix(now) for now, new in names if name.startswith(now)), name
        )
        renamed[old] = tensor.clone()
    if shards == 1:
        save_file(renamed, target / "model.safetensors", metadata={"format": "pt"})
        return target
    files = [f"model-{k + 1:05d}-of-{shards:05d}.safetensors" for k in range(shards)]
    weight_map = {name: files[index % shards] for index, name in enumerate(renamed)}
    for file in files:
        part = {name: renamed[name] for name, place in weight_map.items() if place == file}
        save_file(part, target / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": weight_map}
    (target / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return target


def change_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


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


@pytest.fixture
def folder(tiny_base: Path, tmp_path: Path) -> Path:
    """A base folder of its own, to be spoilt."""
    return Path(shutil.copytree(tiny_base, tmp_path / "base"))


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_base(folder, BOTH, dtype="float32", device=CPU)
    return str(caught.value)


def test_no_folder(tmp_path: Path) -> None:
    """No folder at all, and a folder that holds nothing."""
    assert refusal(tmp_path / "nothing") == (
        f"{tmp_path / 'nothing'}: no such folder, expected a LLaVA-OneVision base in Hugging Face "
        "layout; download it there or correct site.models in config/site.yaml"
    )
    assert refusal(tmp_path) == (
        f"{tmp_path / 'config.json'}: missing, expected the model's configuration of a "
        "LLaVA-OneVision base in Hugging Face layout; download the whole model folder or correct "
        "site.models"
    )


@pytest.mark.parametrize(
    ("file", "key", "value", "sentence"),
    [
        ("config.json", "model_type", "llava",
         "model_type is 'llava', expected 'llava_onevision' (give a LLaVA-OneVision base)"),
        ("config.json", "vision_feature_layer", -2,
         "vision_feature_layer is -2, expected -1 (the method takes the last block's output)"),
        ("config.json", "vision_feature_select_strategy", "default",
         "vision_feature_select_strategy is 'default', expected 'full' "
         "(the tower has no class token to drop)"),
        ("config.json", "image_token_index", 7,
         "image_token_index is 7, expected 259 (the tokenizer's id of <image>)"),
        ("config.json", "vision_config", None,
         "vision_config is None, expected an object; download the file again"),
        ("video_preprocessor_config.json", "image_mean", [0.48145466, 0.4578275, 0.40821073],
         "image_mean is [0.48145466, 0.4578275, 0.40821073], expected [0.5, 0.5, 0.5] "
         "(SigLIP's mean, not CLIP's)"),
        ("video_preprocessor_config.json", "image_std", [0.26862954, 0.26130258, 0.27577711],
         "image_std is [0.26862954, 0.26130258, 0.27577711], expected [0.5, 0.5, 0.5] "
         "(SigLIP's std, not CLIP's)"),
        ("video_preprocessor_config.json", "size", {"height": 384, "width": 384},
         "size is [384], expected [42] (the tower's image size)"),
        ("video_preprocessor_config.json", "rescale_factor", 1.0,
         "rescale_factor is 1.0, expected 1/255"),
    ],
)  # fmt: skip
def test_wrong_value(folder: Path, file: str, key: str, value: object, sentence: str) -> None:
    """One sentence names the file, the key, what was found and what was expected."""
    change_json(folder / file, lambda data: data.update({key: value}))
    assert refusal(folder) == f"{folder / file}: {sentence}"


def test_not_json(folder: Path) -> None:
    """A cut configuration."""
    (folder / "config.json").write_text('{"model_type": ', encoding="utf-8")
    assert refusal(folder) == (
        f"{folder / 'config.json'}: not JSON (Expecting value: line 1 column 16 (char 15)); "
        "download the file again"
    )


def test_missing_weights(folder: Path) -> None:
    """No weight file; a weight file without one tensor; one of another shape."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    name = "language_model.model.layers.1.mlp.up_proj.weight"
    whole = tensors.pop(name)
    save_file(tensors, path)
    assert refusal(folder) == (
        f"{folder}: 1 weights are missing, first model.language_model.layers.1.mlp.up_proj.weight; "
        "the download is incomplete, so fetch the folder again"
    )
    save_file(tensors | {name: whole[:10].clone()}, path)
    assert refusal(folder) == (
        f"{folder}: model.language_model.layers.1.mlp.up_proj.weight has shape (10, 48), expected "
        "(96, 48) from config.json; the folder mixes two models"
    )
    path.unlink()
    assert refusal(folder) == f"{path}: missing, expected the base's weights; download it again"


def test_missing_shard(tmp_path: Path) -> None:
    """The index names a file that was not downloaded."""
    source = write_tiny_base(tmp_path / "source")
    folder = relayout(source, tmp_path / "base", OLD_NAMES, shards=2)
    lost = folder / "model-00002-of-00002.safetensors"
    lost.unlink()
    assert refusal(folder) == f"{lost}: missing, expected the base's weights; download it again"


def test_missing_untied_head(tmp_path: Path) -> None:
    """A head that is not tied must be in the files; the embeddings do not stand in for it."""
    source = write_tiny_base(tmp_path / "source", tied=False)
    folder = relayout(source, tmp_path / "base", OLD_NAMES)
    tensors = load_file(folder / "model.safetensors")
    del tensors["language_model.lm_head.weight"]
    save_file(tensors, folder / "model.safetensors")
    assert refusal(folder) == (
        f"{folder}: 1 weights are missing, first lm_head.weight; the download is incomplete, so "
        "fetch the folder again"
    )


def test_truncated_weights(folder: Path) -> None:
    """A download that stopped in the middle."""
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    sentence = refusal(folder)
    assert sentence.startswith(f"{path}: not whole (")
    assert sentence.endswith("); download the file again")


def test_foreign_chat_templates(folder: Path) -> None:
    """A template of another family; ChatML with another system line; none at all."""
    path = folder / "chat_template.jinja"
    chatml = path.read_text(encoding="utf-8")
    path.write_text("{% for m in messages %}[INST] {{ m['content'] }} [/INST]{% endfor %}")
    assert refusal(folder) == (
        f"{folder}: the tokenizer's chat template is not ChatML (<|im_start|>)"
    )
    path.write_text(chatml.replace("You are a helpful assistant.", "You are Qwen."))
    with pytest.raises(InputError) as caught:
        ChatEncoder.load(folder, 259)
    turns = (
        "<|im_end|>\\n<|im_start|>user\\n<image>\\nq<|im_end|>\\n"
        "<|im_start|>assistant\\na<|im_end|>\\n'"
    )
    assert str(caught.value) == (
        f"{folder}: the chat template renders '<|im_start|>system\\nYou are Qwen.{turns}, expected "
        f"'<|im_start|>system\\nYou are a helpful assistant.{turns} (Qwen2's ChatML); "
        "restore the tokenizer's own template"
    )
    path.unlink()
    assert refusal(folder) == (
        f"{folder}/tokenizer_config.json: no chat_template, expected Qwen2's ChatML"
    )


def test_no_image_token(folder: Path) -> None:
    """A tokenizer that splits <image>."""

    def drop(data: dict[str, Any]) -> None:
        data["added_tokens"] = [t for t in data["added_tokens"] if t["content"] != "<image>"]

    change_json(folder / "tokenizer.json", drop)
    assert refusal(folder) == (
        f"{folder / 'tokenizer.json'}: no token <image>, expected it as one added token"
    )
