"""Attention by the kernels of the configured GPU target.

Shape legend: N images, h heads, S positions of keys, Q positions of queries, d head width.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F
from transformers import LlavaOnevisionForConditionalGeneration, PreTrainedConfig

from lynx.config.gpu_targets import GPU_TARGETS, Attention, GpuTargetName, targets_with
from lynx.errors import InputError

HALF = (torch.float16, torch.bfloat16)
FLASH_CAPABILITY = (8, 0)
"""The oldest compute capability that flash-attn 2 has kernels for."""


def choose_attention(target: GpuTargetName, device: torch.device, dtype: torch.dtype) -> Attention:
    """How a base of this type computes attention on this device.

    Flash-attn 2 where the target has it and the tensors are in half precision on a GPU; SDPA
    everywhere else, so that a CPU computes what it did before there were targets.

    Raises InputError if the target's flash-attn cannot run here: nothing else is taken instead.
    """
    wanted = GPU_TARGETS[target].attention
    if wanted == "sdpa" or device.type != "cuda" or dtype not in HALF:
        return "sdpa"
    others = ", ".join(targets_with("sdpa"))
    capability = torch.cuda.get_device_capability(device)
    if capability < FLASH_CAPABILITY:
        name, (major, minor) = torch.cuda.get_device_name(device), capability
        raise InputError(
            f"config/site.yaml: gpu_target is {target}, whose flash-attn 2 needs compute "
            f"capability 8.0 or newer, but {name} has {major}.{minor}; set gpu_target to one of "
            f"{others}"
        )
    try:
        import_module("flash_attn")
    except (ImportError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"config/site.yaml: gpu_target is {target}, which computes attention with flash-attn "
            f"2, but flash_attn does not import here ({reason}); run jobs in the environment of "
            f"envs/{target}.yaml (--sdm conda), or set gpu_target to one of {others}"
        ) from error
    return wanted


def use_attention(model: LlavaOnevisionForConditionalGeneration, attention: Attention) -> None:
    """Let tower and language model of a base compute attention this way."""
    for part in (model.model.vision_tower, model.model.language_model):
        _config(part)._attn_implementation = attention


def use_packed_attention(model: LlavaOnevisionForConditionalGeneration) -> None:
    """Let the language model read packed clips (`lynx.model.sequence`): SDPA.

    Their mask lets several questions share one prefix; flash-attn 2 knows causal masks only.
    """
    _config(model.model.language_model)._attn_implementation = "sdpa"


def attention_used(model: nn.Module) -> str:
    """What the loaded parts of a base, with adapters or not, compute attention with."""
    inner = cast(LlavaOnevisionForConditionalGeneration, model).model
    parts = {"tower": inner.vision_tower, "language": inner.language_model}
    used = {
        name: str(_config(part)._attn_implementation)
        for name, part in parts.items()
        if not next(part.parameters()).is_meta
    }
    if len(set(used.values())) == 1:
        return next(iter(used.values()))
    return ", ".join(f"{attention} ({name})" for name, attention in used.items())


def _config(part: nn.Module) -> PreTrainedConfig:
    return cast(PreTrainedConfig, part.config)


def attend(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    *,
    scale: float,
    attention: str | None,
) -> torch.Tensor:
    """Queries (N, h, Q, d) that see all of keys and values (N, h, S, d), to (N, h, Q, d).

    `attention` is that of the module's configuration; what is not flash-attn 2 is SDPA.
    """
    if attention != "flash_attention_2":
        return F.scaled_dot_product_attention(queries, keys, values, scale=scale)
    rows = (item.transpose(1, 2) for item in (queries, keys, values))
    mixed: torch.Tensor = import_module("flash_attn").flash_attn_func(
        *rows, softmax_scale=scale, deterministic=torch.are_deterministic_algorithms_enabled()
    )
    return mixed.transpose(1, 2)
