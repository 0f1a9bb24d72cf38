"""A plain training loop: load, forward, backward, clip, step, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from lynx.config.stages import OptimizerSettings
from lynx.training.plan import TrainingPlan

Item = TypeVar("Item")


def train_anew(
    parameters: dict[str, nn.Parameter],
    settings: OptimizerSettings,
    plan: TrainingPlan[Item],
    backward: Callable[[list[Item]], float],
) -> list[float]:
    """Train from the first weights and put them back; the loss of every step.

    `backward(items)` adds a micro-batch's gradients and gives its loss; the order of items, the
    learning rates and the clipping are those of the package's loop. Nothing is logged or saved.
    """
    tensors = list(parameters.values())
    first = [item.detach().clone() for item in tensors]
    optimizer = torch.optim.AdamW(
        tensors, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    losses = []
    for step in range(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * plan.rate_factor(step)
        optimizer.zero_grad(set_to_none=True)
        batches = plan.micro_batches(step)
        total = sum(backward(items) for items in batches) / len(batches)
        for item in tensors:
            assert item.grad is not None
            item.grad /= len(batches)
        nn.utils.clip_grad_norm_(tensors, settings.max_grad_norm)
        optimizer.step()
        losses.append(total)
    with torch.no_grad():
        for item, value in zip(tensors, first, strict=True):
            item.copy_(value)
    return losses
