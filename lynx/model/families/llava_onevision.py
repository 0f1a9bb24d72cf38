"""LLaVA-OneVision in the Hugging Face layout (method section 2.1).

Shape legend: N images, S patches per image (grid x grid), Dv tower width, D language model width.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lynx.chat_tokens import IMAGE_TOKEN, TURN_TOKENS
from lynx.errors import InputError

MODEL_TYPE = "llava_onevision"
TOWER_LINEARS = r"model\.vision_tower\..*\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)"
LANGUAGE_LINEARS = (
    r"model\.language_model\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
)
TOWER_PREFIXES = ("model.vision_tower.", "model.multi_modal_projector.", "model.image_newline")
EMBEDDING_PREFIXES = ("model.language_model.embed_tokens.",)
LANGUAGE_PREFIXES = ("model.language_model.", "lm_head.")

# Older checkpoints and adapters (transformers 4.x) nest the same modules under these names.
RENAMES = (
    (
        re.compile(
            r"^model\.(?=(vision_tower|multi_modal_projector|image_newline|language_model))"
        ),
        "",
    ),
    (re.compile(r"^vision_tower\.vision_model\."), "vision_tower."),
    (re.compile(r"^language_model\.lm_head\."), "lm_head."),
    (re.compile(r"^language_model\.model\."), "language_model."),
    (
        re.compile(r"^(vision_tower|multi_modal_projector|image_newline|language_model)"),
        r"model.\1",
    ),
)


@dataclass(frozen=True)
class BaseInfo:
    """What the folder of a base model says about it, checked against what the method needs."""

    folder: Path
    image_size: int
    grid: int
    vision_width: int
    vision_heads: int
    vision_blocks: int
    text_width: int
    image_token_id: int
    end_token_id: int

    @property
    def patches(self) -> int:
        """Patch tokens of one frame before pooling, S."""
        return self.grid**2

    @property
    def tokens_per_frame(self) -> int:
        """Tokens of one frame after the 2x bilinear pooling: ceil(grid / 2) squared."""
        return math.ceil(self.grid / 2) ** 2


def current_name(name: str) -> str:
    """The module or tensor name of this transformers version for a name of any version."""
    for pattern, replacement in RENAMES:
        name = pattern.sub(replacement, name)
    return name


def _read_json(path: Path, purpose: str) -> dict[str, object]:
    if not path.is_file():
        raise InputError(
            f"{path}: missing, expected {purpose} of a LLaVA-OneVision base in Hugging Face "
            "layout; download the whole model folder or correct site.models"
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({error}); download the file again") from error
    if not isinstance(data, dict):
        raise InputError(f"{path}: a {type(data).__name__} found, expected a JSON object")
    return data


def _expect(path: Path, key: str, found: object, expected: object, why: str) -> None:
    if found != expected:
        raise InputError(f"{path}: {key} is {found!r}, expected {expected!r} ({why})")


def describe(folder: Path) -> BaseInfo:
    """Read and check a base folder without loading any weight.

    Asserted: model type, feature layer -1, strategy `full`, no class token, square grid, processor
    size and mean/std 0.5, rescale 1/255, the ChatML template, one `<image>` token, `<|im_end|>`.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: no such folder, expected a LLaVA-OneVision base in Hugging Face layout; "
            "download it there or correct site.models in config/site.yaml"
        )
    path = folder / "config.json"
    config = _read_json(path, "the model's configuration")
    _expect(path, "model_type", config.get("model_type"), MODEL_TYPE, "give a LLaVA-OneVision base")
    _expect(
        path,
        "vision_feature_layer",
        config.get("vision_feature_layer"),
        -1,
        "the method takes the last block's output",
    )
    _expect(
        path,
        "vision_feature_select_strategy",
        config.get("vision_feature_select_strategy"),
        "full",
        "the tower has no class token to drop",
    )
    vision, text = _section(path, config, "vision_config"), _section(path, config, "text_config")
    _expect(
        path,
        "vision_config.model_type",
        vision.get("model_type"),
        "siglip_vision_model",
        "the tower must be SigLIP",
    )
    image_size, patch = _whole(path, vision, "image_size"), _whole(path, vision, "patch_size")
    _check_processor(folder, image_size)
    image_token, end_token = _check_tokenizer(folder)
    index = config.get("image_token_index", config.get("image_token_id"))
    _expect(path, "image_token_index", index, image_token, "the tokenizer's id of <image>")
    return BaseInfo(
        folder=folder,
        image_size=image_size,
        grid=image_size // patch,
        vision_width=_whole(path, vision, "hidden_size"),
        vision_heads=_whole(path, vision, "num_attention_heads"),
        vision_blocks=_whole(path, vision, "num_hidden_layers"),
        text_width=_whole(path, text, "hidden_size"),
        image_token_id=image_token,
        end_token_id=end_token,
    )


def _section(path: Path, config: dict[str, object], key: str) -> dict[str, object]:
    value = config.get(key)
    if not isinstance(value, dict):
        raise InputError(f"{path}: {key} is {value!r}, expected an object; download the file again")
    return value


def _whole(path: Path, section: dict[str, object], key: str) -> int:
    value = section.get(key)
    if not isinstance(value, int) or value <= 0:
        raise InputError(f"{path}: {key} is {value!r}, expected a positive whole number")
    return value


def _check_processor(folder: Path, image_size: int) -> None:
    names = ("video_preprocessor_config.json", "preprocessor_config.json", "processor_config.json")
    path = next((folder / name for name in names if (folder / name).is_file()), folder / names[0])
    data = _read_json(path, "the video processor")
    inner = data.get("video_processor")
    data = inner if isinstance(inner, dict) else data
    half = [0.5, 0.5, 0.5]
    _expect(path, "image_mean", data.get("image_mean"), half, "SigLIP's mean, not CLIP's")
    _expect(path, "image_std", data.get("image_std"), half, "SigLIP's std, not CLIP's")
    size = data.get("size")
    sides = sorted(set(size.values())) if isinstance(size, dict) else size
    _expect(path, "size", sides, [image_size], "the tower's image size")
    factor = data.get("rescale_factor", 1 / 255)
    if not isinstance(factor, float) or not math.isclose(factor, 1 / 255, rel_tol=1e-6):
        raise InputError(f"{path}: rescale_factor is {factor!r}, expected 1/255")


def _check_tokenizer(folder: Path) -> tuple[int, int]:
    """Ids of `<image>` and `<|im_end|>`; checks that both are single tokens and ChatML is used."""
    path = folder / "tokenizer.json"
    added = _read_json(path, "the tokenizer").get("added_tokens")
    entries: Iterable[object] = added if isinstance(added, list) else ()
    ids = {item["content"]: item["id"] for item in entries if isinstance(item, dict)}
    for token in (IMAGE_TOKEN, *TURN_TOKENS):
        if token not in ids:
            raise InputError(f"{path}: no token {token}, expected it as one added token")
    if "<|im_start|>" not in read_chat_template(folder):
        raise InputError(f"{folder}: the tokenizer's chat template is not ChatML (<|im_start|>)")
    return int(ids[IMAGE_TOKEN]), int(ids["<|im_end|>"])


def read_chat_template(folder: Path) -> str:
    """The tokenizer's own chat template, not the processor's multimodal one (section 5.3)."""
    config = _read_json(folder / "tokenizer_config.json", "the tokenizer's configuration")
    template = config.get("chat_template")
    file = folder / "chat_template.jinja"
    if isinstance(template, str):
        return template
    if file.is_file():
        return file.read_text(encoding="utf-8")
    raise InputError(f"{folder}/tokenizer_config.json: no chat_template, expected Qwen2's ChatML")
