"""The tiny base's shape: LLaVA-OneVision in small, with an odd patch grid as the real one has.

56 px in patches of 8: a grid of 7 x 7 (the real one 27 x 27), pooled to 4 x 4 = 16 tokens a frame.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import torch
from transformers import (
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    PreTrainedTokenizerFast,
)

IMAGE_SIZE, PATCH_SIZE = 56, 8
TOKEN_SIDE = 4


def base_config(tokenizer: PreTrainedTokenizerFast) -> LlavaOnevisionConfig:
    """The model's configuration for a trained tokenizer."""
    image, video = (
        cast(int, tokenizer.convert_tokens_to_ids(name)) for name in ("<image>", "<video>")
    )
    return LlavaOnevisionConfig(
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": 128,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "intermediate_size": 384,
            "image_size": IMAGE_SIZE,
            "patch_size": PATCH_SIZE,
            "vision_use_head": False,
        },
        text_config={
            "model_type": "qwen2",
            "hidden_size": 160,
            "num_hidden_layers": 4,
            "num_attention_heads": 5,
            "num_key_value_heads": 5,
            "intermediate_size": 448,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 2048,
            "tie_word_embeddings": True,
            "bos_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        },
        image_token_index=image,
        video_token_index=video,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=True,
    )


def write_untrained(folder: Path, tokenizer: PreTrainedTokenizerFast, seed: int) -> None:
    """Write a whole base folder with random weights from `seed`: the start of training."""
    torch.manual_seed(seed)
    model = LlavaOnevisionForConditionalGeneration(base_config(tokenizer))
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    write_processor(folder)


def write_processor(folder: Path) -> None:
    """The processor files: SigLIP's mean and std, a plain resize to the tower's square."""
    shared = {
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "do_resize": True,
        "size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE},
        "resample": 3,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "do_convert_rgb": True,
    }
    image = {"image_processor_type": "LlavaOnevisionImageProcessor", **shared}
    image["image_grid_pinpoints"] = [[IMAGE_SIZE, IMAGE_SIZE]]
    video = {"video_processor_type": "LlavaOnevisionVideoProcessor", **shared}
    side = IMAGE_SIZE // PATCH_SIZE
    joint = {
        "processor_class": "LlavaOnevisionProcessor",
        "num_image_tokens": side * side,
        "vision_feature_select_strategy": "full",
        "image_token": "<image>",
        "video_token": "<video>",
    }
    for name, data in (
        ("preprocessor_config.json", image),
        ("video_preprocessor_config.json", video),
        ("processor_config.json", joint),
    ):
        (folder / name).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
