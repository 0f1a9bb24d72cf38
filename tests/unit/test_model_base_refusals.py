"""Folders that are no base, or not a whole one, are refused with one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from lynx.errors import InputError
from lynx.model.base import load_base
from lynx.model.chat import ChatEncoder
from lynx.model.stage import run_base
from tests.base_layouts import OLD_NAMES, change_json, relayout
from tests.project_copy import load
from tests.tiny_base import write_tiny_base
from tests.tiny_model import CPU
from tests.unit.scores import bare_project


@pytest.fixture
def folder(tiny_base: Path, tmp_path: Path) -> Path:
    """A base folder of its own, to be spoilt."""
    return Path(shutil.copytree(tiny_base, tmp_path / "base"))


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_base(folder, ("tower", "language"), dtype="float32", device=CPU)
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


def test_stage_base_refuses_it_before_the_others(tmp_path: Path) -> None:
    """A file that the index names is absent, or the index is damaged: nothing is published."""
    root = bare_project(tmp_path / "project")
    source = write_tiny_base(tmp_path / "source")
    folder = relayout(source, root / "models/demo", OLD_NAMES, shards=2)
    project = load(root)
    lost = folder / "model-00002-of-00002.safetensors"
    lost.unlink()
    index = folder / "model.safetensors.index.json"
    for sentence in (
        f"{lost}: missing, expected the base's weights; download it again",
        f"{index}: found no list of weight files (KeyError: 'weight_map'), expected the file of "
        "each weight under weight_map; download the file again",
    ):
        with pytest.raises(InputError) as caught:
            run_base(project)
        assert str(caught.value) == sentence
        assert not project.layout.base.exists()
        index.write_text("{}", encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"weight_map": {"a": "mod', "JSONDecodeError: "),
        ("[" * 200_000, "RecursionError: "),
        ('{"weight_map": ' + "9" * 5000 + "}", "ValueError: "),
        ("{}", "KeyError: 'weight_map'"),
        ("[]", "TypeError: "),
        ('{"weight_map": ["a.safetensors"]}', "AttributeError: "),
        ('{"weight_map": {"a": ["b"]}}', "TypeError: "),
    ],
)
def test_an_index_that_is_none(folder: Path, text: str, found: str) -> None:
    path = folder / "model.safetensors.index.json"
    path.write_text(text, encoding="utf-8")
    said = refusal(folder)
    assert said.startswith(f"{path}: found no list of weight files ({found}")
    assert said.endswith(
        "), expected the file of each weight under weight_map; download the file again"
    )


@pytest.mark.parametrize(
    "name", ["../a.safetensors", "/a.safetensors", "a/b.safetensors", "a.bin", "..", "", 7, None]
)
def test_an_index_that_leads_elsewhere(folder: Path, name: object) -> None:
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": {"a": name}}), encoding="utf-8")
    assert refusal(folder) == (
        f"{path}: found {name!r} as the file of a weight, expected the name of a safetensors file "
        "in the same folder; download the file again"
    )


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
