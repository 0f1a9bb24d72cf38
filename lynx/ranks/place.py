"""This process's place among the ranks of one command, and what they do together.

A command on several GPUs starts itself once for each (`lynx.ranks.launch`). Its ranks meet through
a file in a folder that only their user can enter, and talk over the loopback interface. Small
objects always go over gloo, which notices at once that another rank is gone; gradients go over NCCL
where there are GPUs.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import torch
    from torch import nn

Value = TypeVar("Value")
# Set by the launcher: the file through which the ranks meet, and the launcher's process.
STORE, LAUNCHER = "LYNX_RANKS_STORE", "LYNX_RANKS_LAUNCHER"
STOPPED = 128 + signal.SIGTERM
"""The exit code of a command that was asked to stop and has saved its state."""
# Of one wait for the others. A rank that is gone is noticed at once; this is for one that hangs,
# and the others may have to wait while it decodes the videos of a step.
PATIENCE = timedelta(minutes=30)
BUCKET = 50_000_000  # gradient elements that are summed at a time (200 MB in float32)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ranks:
    """A process as the `index`-th of `count` ranks; alone, the first of one."""

    index: int
    count: int

    @property
    def first(self) -> bool:
        """Whether this rank is the one that writes: state, artefacts, progress."""
        return self.index == 0

    def share(self, items: Sequence[Value]) -> list[tuple[int, Value]]:
        """What falls to this rank: every `count`-th item with its place among all of them."""
        return list(enumerate(items))[self.index :: self.count]

    def gather(self, value: Value) -> list[Value]:
        """Every rank's value, in their order, on every rank."""
        if self.count == 1:
            return [value]
        import torch.distributed as dist

        found = [value] * self.count
        with self._together():
            dist.all_gather_object(found, value)
        return found

    def gather_first(self, value: Value) -> list[Value]:
        """Every rank's value, in their order, on the first rank; nothing on the others."""
        if self.count == 1:
            return [value]
        import torch.distributed as dist

        found = [value] * self.count if self.first else None
        with self._together():
            dist.gather_object(value, found, dst=0)
        return found or []

    def sum_gradients(self, parameters: Mapping[str, nn.Parameter]) -> None:
        """Add up each parameter's gradient over the ranks; one that no rank has stays absent."""
        if self.count == 1:
            return
        own = {name for name, item in parameters.items() if item.grad is not None}
        present = set().union(*self.gather(own))
        chosen = [item for name, item in parameters.items() if name in present]
        for bucket in _buckets(chosen):
            self._sum(bucket)

    def _sum(self, bucket: list[nn.Parameter]) -> None:
        import torch
        import torch.distributed as dist

        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in bucket]
        flat = torch.cat([part.flatten() for part in parts])
        with self._together():
            dist.all_reduce(flat)
        for parameter, summed in zip(
            bucket, flat.split([item.numel() for item in bucket]), strict=True
        ):
            parameter.grad = summed.view_as(parameter)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """End with one line where another rank is gone; its launcher says which and why."""
        try:
            yield
        except RuntimeError as error:
            log.error("rank %d of %d: no word from the others (%s)", self.index, self.count, error)
            raise SystemExit(1) from error


def _buckets(parameters: Sequence[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Parameters in order, in groups of up to `BUCKET` elements."""
    bucket: list[nn.Parameter] = []
    size = 0
    for item in parameters:
        if bucket and size + item.numel() > BUCKET:
            yield bucket
            bucket, size = [], 0
        bucket.append(item)
        size += item.numel()
    if bucket:
        yield bucket


def here() -> Ranks:
    """The place of this process; alone unless a launcher started it."""
    if STORE not in os.environ:
        return Ranks(0, 1)
    return Ranks(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))


@contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """Meet the other ranks, which compute on devices of the same kind, and part when all is done.

    After an error this process just ends: the launcher sees to the others.
    """
    import torch.distributed as dist

    ranks = here()
    if not ranks.first:
        logging.getLogger().setLevel(logging.WARNING)  # what all do is told once
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",
        init_method=f"file://{os.environ[STORE]}",
        rank=ranks.index,
        world_size=ranks.count,
        timeout=PATIENCE,
    )
    yield ranks
    dist.destroy_process_group()
