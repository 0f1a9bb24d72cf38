"""The loop of both trainings: accumulate, clip, step, log, checkpoint, resume (design, rule 4)."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from accelerate import Accelerator
from torch import nn
from tqdm import tqdm

from lynx.artifacts.publish import write_atomic
from lynx.config.stages import OptimizerSettings
from lynx.errors import InputError
from lynx.training.checkpoint import restore_newest, save_checkpoint
from lynx.training.plan import TrainingPlan, derived_seed

Item = TypeVar("Item")
Batch = TypeVar("Batch")
CHECKPOINTS_PER_RUN = 20
LOG_NAME = "log.jsonl"
PUBLISHED_LOG_NAME = "training.jsonl"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training(Generic[Item, Batch]):
    """One training run.

    `objective(batch)` gives a micro-batch's loss and named terms for the log; `load` turns a
    micro-batch of items into a batch and runs one step ahead.
    """

    objective: nn.Module
    parameters: dict[str, nn.Parameter]
    settings: OptimizerSettings
    plan: TrainingPlan[Item]
    load: Callable[[list[Item]], Batch]
    device: torch.device
    half: bool
    name: str


def run_training(training: Training[Item, Batch], state: Path) -> list[dict[str, float]]:
    """Train to the plan's last step, from the newest checkpoint under `state`; gives the log.

    The result is that of an undisturbed run, bit for bit on one CPU. Raises InputError on a loss or
    gradient that is not finite; the state is kept and nothing is published.
    """
    accelerator = Accelerator(
        cpu=training.device.type == "cpu",
        device_placement=False,  # the base is where it belongs; parts of it may be on meta
        mixed_precision="bf16" if training.half else "no",
    )
    settings, plan = training.settings, training.plan
    optimizer = torch.optim.AdamW(
        training.parameters.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    first = restore_newest(state, training.parameters, optimizer)
    objective, prepared = accelerator.prepare(training.objective, optimizer)
    records = _read_log(state / LOG_NAME, first)
    if first:
        log.info("%s: going on from step %d of %d", training.name, first, plan.steps)
    every = max(1, plan.steps // CHECKPOINTS_PER_RUN)
    progress = tqdm(
        total=plan.steps, initial=first, desc=training.name, unit="step", mininterval=1.0
    )
    # In one rename, so that a kill here loses no earlier line.
    write_atomic(state / LOG_NAME, log_text(records))
    with (state / LOG_NAME).open("a", encoding="utf-8") as stream, progress:
        for step, batches in _loaded_ahead(training, first):
            record = _take_step(training, accelerator, objective, prepared, step, batches)
            records.append(record)
            stream.write(log_text([record]))
            progress.update()
            progress.set_postfix(loss=f"{record['loss']:.4f}", refresh=False)
            if (step + 1) % every == 0 or step + 1 == plan.steps:
                stream.flush()
                os.fsync(stream.fileno())
                save_checkpoint(state, step + 1, training.parameters, optimizer)
    return records


def _take_step(
    training: Training[Item, Batch],
    accelerator: Accelerator,
    objective: Callable[[Batch], tuple[torch.Tensor, dict[str, float]]],
    optimizer: torch.optim.Optimizer,
    step: int,
    batches: list[Batch],
) -> dict[str, float]:
    """One optimiser step: micro-batches weigh equally (method section 5.3)."""
    torch.manual_seed(derived_seed(training.plan.seed, "step", step))
    rate = training.settings.learning_rate * training.plan.rate_factor(step)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    totals: dict[str, float] = {}
    for index, batch in enumerate(batches):
        last = index + 1 == len(batches)
        with nullcontext() if last else accelerator.no_sync(training.objective):
            loss, terms = objective(batch)
            accelerator.backward(loss / len(batches))
        for key, value in {"loss": float(loss.detach()), **terms}.items():
            totals[key] = totals.get(key, 0.0) + value / len(batches)
    _require_finite(training.name, "loss", totals["loss"], step)
    norm = accelerator.clip_grad_norm_(
        list(training.parameters.values()), training.settings.max_grad_norm
    )
    # A step with it would be saved, and every later run would go on from the spoilt weights.
    _require_finite(training.name, "gradient norm", float(norm), step)
    optimizer.step()
    return {"step": step + 1, **totals, "learning_rate": rate, "grad_norm": float(norm)}


def _require_finite(name: str, what: str, value: float, step: int) -> None:
    if not math.isfinite(value):
        raise InputError(
            f"{name}: the {what} is {value} at step {step + 1}, expected a finite number; "
            "look at the log, lower learning_rate or check the data, and run again"
        )


def _loaded_ahead(training: Training[Item, Batch], first: int) -> Iterator[tuple[int, list[Batch]]]:
    """Steps with their loaded micro-batches, the next step's loading while this one is computed."""
    plan = training.plan

    def load(step: int) -> list[Batch]:
        return [training.load(items) for items in plan.micro_batches(step)]

    with ThreadPoolExecutor(1) as pool:
        ahead: Future[list[Batch]] | None = pool.submit(load, first) if first < plan.steps else None
        for step in range(first, plan.steps):
            assert ahead is not None
            batches = ahead.result()
            ahead = pool.submit(load, step + 1) if step + 1 < plan.steps else None
            yield step, batches


def _read_log(path: Path, steps: int) -> list[dict[str, float]]:
    """The first `steps` records of an interrupted run's log."""
    if not path.is_file() or not steps:
        return []
    lines = path.read_text(encoding="utf-8").splitlines()[:steps]
    return [json.loads(line) for line in lines]


def log_text(records: list[dict[str, float]]) -> str:
    """The log as JSON Lines, one step a line."""
    return "".join(json.dumps(record) + "\n" for record in records)
