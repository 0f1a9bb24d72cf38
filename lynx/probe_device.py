"""Whether a device really computes: a small matmul and attention, checked against float64.

A driver, a torch and a card can all be there and still have no kernel in common.

Shape legend: N images, h heads, S positions, d head width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from lynx.config.gpu_targets import Attention
from lynx.model.attention import attend

SIDE = 256
ATTENTION_SHAPE = (2, 4, 64, 72)  # N, h, S, d; 72 is the head width of SigLIP at 384 pixels
TOLERANCE = 0.05
"""Largest difference that rounding to bfloat16 explains; entries are about 1."""


@dataclass(frozen=True)
class KernelState:
    """Largest differences from float64 of what the device computed in bfloat16."""

    matmul: float
    attention: float

    @property
    def right(self) -> bool:
        """Whether rounding explains both; a NaN does not count as right."""
        return self.matmul < TOLERANCE and self.attention < TOLERANCE


def run_kernels(device: torch.device, attention: Attention) -> KernelState:
    """Multiply matrices and attend on the device.

    Raises RuntimeError, or what the kernels raise, where the device cannot.
    """
    numbers = torch.Generator().manual_seed(0)
    left, right = (_numbers(numbers, SIDE, SIDE) for _ in range(2))
    product = (left.to(device) @ right.to(device)).cpu().double()
    queries, keys, values = (_numbers(numbers, *ATTENTION_SHAPE) for _ in range(3))
    scale = ATTENTION_SHAPE[-1] ** -0.5
    weights = (queries.double() @ keys.double().transpose(-1, -2) * scale).softmax(dim=-1)
    mixed = attend(
        queries.to(device), keys.to(device), values.to(device), scale=scale, attention=attention
    )
    return KernelState(
        matmul=_largest(product - left.double() @ right.double()) / SIDE**0.5,
        attention=_largest(mixed.cpu().double() - weights @ values.double()),
    )


def _numbers(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator).bfloat16()


def _largest(differences: torch.Tensor) -> float:
    return float(differences.abs().max())
