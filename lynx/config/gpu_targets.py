"""The kinds of machine that jobs run on: what `gpu_target` in config/site.yaml may name.

A target has its environment in `envs/<name>.yaml` and its way of computing attention. It decides no
result on purpose: it stands in no slice, so changing it runs nothing again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

GpuTargetName = Literal["cpu", "a6000", "blackwell"]
Attention = Literal["sdpa", "flash_attention_2"]
"""PyTorch's scaled dot-product attention, or the kernels of the package flash-attn 2."""


@dataclass(frozen=True)
class GpuTarget:
    """One kind of machine, and what its environment was made for."""

    cards: str
    capability: tuple[int, int] | None
    """The compute capability of its cards: (8, 6) is sm_86."""
    cuda: int
    """The major version of CUDA that its torch brings, needed or not."""
    attention: Attention
    """For half precision on a GPU; everything else is SDPA."""


GPU_TARGETS: Mapping[GpuTargetName, GpuTarget] = MappingProxyType(
    {
        "cpu": GpuTarget("no particular card", None, 13, "sdpa"),
        "a6000": GpuTarget("RTX A6000 (Ampere)", (8, 6), 12, "flash_attention_2"),
        "blackwell": GpuTarget("Blackwell workstation cards", (12, 0), 13, "sdpa"),
    }
)


def targets_with(attention: Attention) -> tuple[str, ...]:
    """The targets that compute attention this way, for advice."""
    names: tuple[GpuTargetName, ...] = get_args(GpuTargetName)
    return tuple(name for name in names if GPU_TARGETS[name].attention == attention)
