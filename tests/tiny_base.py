"""Tiny random bases in the Hugging Face layout of LLaVA-OneVision, built in the test."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    PreTrainedTokenizerFast,
)

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>")
CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def tiny_config(*, grid: int = 6, patch: int = 7, tied: bool = True) -> LlavaOnevisionConfig:
    """3 blocks x 32, 4 heads, `grid` x `grid` patches; language width 48 (method section 10)."""
    ids = {token: 256 + index for index, token in enumerate(SPECIAL)}
    return LlavaOnevisionConfig(
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": 32,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "intermediate_size": 64,
            "image_size": grid * patch,
            "patch_size": patch,
            "vision_use_head": False,
        },
        text_config={
            "model_type": "qwen2",
            "hidden_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "intermediate_size": 96,
            "vocab_size": 256 + len(SPECIAL),
            "tie_word_embeddings": tied,
            "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids["<|im_end|>"],
        },
        image_token_index=ids["<image>"],
        video_token_index=ids["<video>"],
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=tied,
    )


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One token per byte plus the special tokens: no merges, so every text round-trips."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={char: i for i, char in enumerate(alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\s*[\r\n]+|[^\r\n]"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = CHATML
    return tokenizer


def write_tiny_base(
    folder: Path, *, seed: int = 0, grid: int = 6, patch: int = 7, tied: bool = True
) -> Path:
    """A whole base folder with random weights from `seed`."""
    torch.manual_seed(seed)
    config = tiny_config(grid=grid, patch=patch, tied=tied)
    model = LlavaOnevisionForConditionalGeneration(config)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1 or "newline" in name:
            torch.nn.init.normal_(parameter, std=0.15)
    model.generation_config.eos_token_id = config.text_config.eos_token_id
    model.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    side = grid * patch
    processor = {
        "video_processor_type": "LlavaOnevisionVideoProcessor",
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "size": {"height": side, "width": side},
        "resample": 3,
        "rescale_factor": 1 / 255,
    }
    (folder / "video_preprocessor_config.json").write_text(json.dumps(processor))
    return folder
