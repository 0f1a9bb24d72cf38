"""Which items each optimiser step sees: a pure function of seed, epoch and settings.

Nothing about the order is stored in a checkpoint, so a resumed run cannot lose or repeat an item.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from lynx.config.stages import OptimizerSettings
from lynx.errors import InputError

Item = TypeVar("Item")


def derived_seed(seed: int, *names: object) -> int:
    """A 63-bit seed for one purpose, for example (seed, "dropout", step)."""
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


@dataclass(frozen=True)
class TrainingPlan(Generic[Item]):
    """Items in micro-batches and steps; an epoch's last step may be short, no item is dropped."""

    items: Sequence[Item]
    batch: int
    micro_batch: int
    steps: int
    warmup_steps: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps that show every item once."""
        return math.ceil(len(self.items) / self.batch)

    def parts(self, step: int) -> int:
        """The number of micro-batches of one optimiser step over all ranks."""
        place = step % self.steps_per_epoch
        left = len(self.items) - place * self.batch
        return math.ceil(min(left, self.batch) / self.micro_batch)

    def micro_batches(self, step: int) -> list[list[Item]]:
        """The micro-batches of one optimiser step (0-based), in order."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng(derived_seed(self.seed, "order", epoch)).permutation(
            len(self.items)
        )
        chosen = order[place * self.batch : (place + 1) * self.batch]
        return [
            [self.items[index] for index in chosen[start : start + self.micro_batch]]
            for start in range(0, len(chosen), self.micro_batch)
        ]

    def rate_factor(self, step: int) -> float:
        """Linear warm-up, then cosine decay to zero (method section 4.3)."""
        if step < self.warmup_steps:
            return step / self.warmup_steps
        done = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return max(0.0, 0.5 * (1.0 + math.cos(math.pi * done)))


def require_ranks(settings: OptimizerSettings, ranks: int, section: str) -> None:
    """Check that full steps give every rank as many micro-batches.

    Raises InputError, which names the keys of the recipe's `section`.
    """
    if settings.batch % (settings.micro_batch * ranks):
        raise InputError(
            f"{section}.optimizer.batch {settings.batch} is not a multiple of "
            f"{section}.optimizer.micro_batch {settings.micro_batch} x {ranks} ranks; change one "
            "of them in the recipe, or the number of ranks (--ranks, gpus of the scale)"
        )


def make_plan(
    items: Sequence[Item], settings: OptimizerSettings, *, per_item: int, seed: int
) -> TrainingPlan[Item]:
    """The plan for items of `per_item` samples each; batch sizes of the settings count samples.

    Raises InputError without an item: every clip is missing, and the budget for that allows it.
    """
    if not items:
        raise InputError(
            "found no clip to train on, expected one at least; stage frames has listed them as "
            "missing, so get the files or lower frames.allow_missing"
        )
    batch, micro = settings.batch // per_item, settings.micro_batch // per_item
    per_epoch = math.ceil(len(items) / batch)
    steps = max(1, math.ceil(settings.epochs * per_epoch))
    warmup = math.ceil(settings.warmup_ratio * steps)
    return TrainingPlan(items, batch, micro, steps, warmup, seed)
