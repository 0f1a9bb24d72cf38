"""Gradient checkpointing: keep a layer's input only, and compute the layer again on the way back.

The library's own switch works on layers in training mode alone; here everything but the adapters is
in eval mode.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def must_recompute(device: torch.device, half: bool) -> bool:
    """Whether activations are too many to be kept: of models in half precision on a GPU.

    Those take 300 kB a token and layer at 7B; see docs/several_gpus.md. Elsewhere time is shorter
    than memory.
    """
    return half and device.type == "cuda"


def recompute(layers: Iterable[nn.Module]) -> None:
    """Make each of these layers a checkpoint; results and gradients stay what they are.

    Dropout is drawn again from the same state.
    """
    for layer in layers:
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
