"""How a step changes the trained tensors: gradients summed over the ranks, clipped, AdamW."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from lynx.config.stages import OptimizerSettings
from lynx.ranks.place import Ranks
from lynx.training.checkpoint import restore_newest, save_checkpoint

Terms = dict[str, float]


class Engine(Protocol):
    """The trained tensors and their moments, over however many ranks they are held.

    `restore` comes first, `finish` last. In lockstep, every `backward` is of all ranks together.
    """

    lockstep: bool

    def begin(self, rate: float) -> None:
        """Start a step at this learning rate; gradients of a step that was given up are gone."""

    def backward(self, batch: object, parts: float, *, last: bool) -> Terms:
        """Add the gradient of a micro-batch's loss over `parts`; gives loss and terms."""

    def step(self) -> float:
        """Take the step of all ranks; gives the gradient norm before clipping.

        After a norm that is not finite, the tensors are not to be saved.
        """

    def save(self, state: Path, step: int) -> None:
        """Write the checkpoint after `step` steps."""

    def restore(self, state: Path, most: int) -> int:
        """Go back to the newest whole checkpoint of at most so many steps; its step, or 0."""

    def finish(self) -> None:
        """Leave the trained tensors whole on every rank."""


def adamw(
    parameters: dict[str, nn.Parameter], settings: OptimizerSettings
) -> torch.optim.Optimizer:
    """The optimiser of every engine, with the recipe's numbers."""
    return torch.optim.AdamW(
        parameters.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )


class ReplicatedEngine:
    """Every rank holds all trained tensors and moments, so that any of them could save alone."""

    lockstep = False

    def __init__(
        self,
        objective: nn.Module,
        parameters: dict[str, nn.Parameter],
        settings: OptimizerSettings,
        ranks: Ranks,
        precision: AbstractContextManager[object],
    ) -> None:
        self.objective, self.parameters = objective, parameters
        self.settings, self.ranks, self.precision = settings, ranks, precision
        self.optimizer = adamw(parameters, settings)

    def begin(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)

    def backward(self, batch: object, parts: float, *, last: bool) -> Terms:
        with self.precision:
            loss, terms = self.objective(batch)
        loss = loss.float()
        (loss / parts).backward()
        return {"loss": float(loss.detach()), **terms}

    def step(self) -> float:
        self.ranks.sum_gradients(self.parameters)
        norm = float(
            nn.utils.clip_grad_norm_(list(self.parameters.values()), self.settings.max_grad_norm)
        )
        if math.isfinite(norm):
            self.optimizer.step()
        return norm

    def save(self, state: Path, step: int) -> None:
        if self.ranks.first:
            save_checkpoint(state, step, self.parameters, self.optimizer)

    def restore(self, state: Path, most: int) -> int:
        return restore_newest(state, self.parameters, self.optimizer, most)

    def finish(self) -> None:
        """They always are."""
