"""Both trainings: accumulate, clip, step, log, checkpoint, resume (architecture, rule 4).

Every rank runs it. A step's micro-batches are dealt out to the ranks, each draws its dropout from a
seed of its own, and the step is that of one rank with more accumulation.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import nn
from tqdm import tqdm

from lynx.artifacts.publish import append_flushed, write_atomic
from lynx.artifacts.sealed import open_line, sealed_line
from lynx.config.stages import OptimizerSettings
from lynx.errors import InputError
from lynx.ranks.place import STOPPED, Ranks, here
from lynx.training.engine import Engine, ReplicatedEngine, Terms
from lynx.training.plan import TrainingPlan, derived_seed
from lynx.training.stop import StopRequest, stop_request

Item = TypeVar("Item")
Batch = TypeVar("Batch")
Value = TypeVar("Value")
Record = dict[str, float]
Placed = list[tuple[int | None, Value]]
"""Micro-batches with their places among those of the step; None for one that only fills a rank."""
CHECKPOINTS_PER_RUN = 20
LOG_NAME = "log.jsonl"
PUBLISHED_LOG_NAME = "training.jsonl"
STOPPED_SENTENCE = (
    "%s: asked to stop after %d of %d steps, which are saved; the same command goes on from there"
)
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
    zero: int | None = None
    """DeepSpeed's ZeRO stage where there are several ranks; None: plain ranks."""


def run_training(training: Training[Item, Batch], state: Path) -> list[Record]:
    """Train to the plan's last step, from the newest checkpoint under `state`; gives the log.

    The result is that of an undisturbed run, bit for bit on one CPU. SIGTERM gives up the running
    step, saves those before it and ends with SystemExit(143). Raises InputError on a loss or
    gradient that is not finite and on a disk that is full or fails; the state is kept and nothing
    is published.
    """
    ranks, plan = here(), training.plan
    engine = _engine(training, ranks)
    logged = _read_log(state / LOG_NAME)
    first = engine.restore(state, len(logged))
    if len(steps := set(ranks.gather(first))) > 1:
        raise RuntimeError(f"{state}: the ranks found checkpoints of different steps, {steps}")
    records = logged[:first]
    if first:
        log.info("%s: going on from step %d of %d", training.name, first, plan.steps)
    every = max(1, plan.steps // CHECKPOINTS_PER_RUN)
    progress = tqdm(
        total=plan.steps,
        initial=first,
        desc=training.name,
        unit="step",
        mininterval=1.0,
        disable=not ranks.first,
    )
    with stop_request() as stop, _open_log(state, records, ranks) as kept, progress:
        share = _lockstep_share if engine.lockstep else _share
        for step, batches in _loaded_ahead(training, first, share, stop):
            record = _take_step(training, engine, ranks, stop, step, batches)
            if record is None:
                kept.flush()
                if step > first and step % every:
                    engine.save(state, step)
                if ranks.first:
                    log.warning(STOPPED_SENTENCE, training.name, step, plan.steps)
                raise SystemExit(STOPPED)
            records.append(record)
            kept.waiting.append(sealed_line(record))
            progress.update()
            progress.set_postfix(loss=f"{record['loss']:.4f}", refresh=False)
            if (step + 1) % every == 0 or step + 1 == plan.steps:
                kept.flush()
                engine.save(state, step + 1)
    engine.finish()
    return records


def _engine(training: Training[Item, Batch], ranks: Ranks) -> Engine:
    precision = (
        torch.autocast(training.device.type, torch.bfloat16) if training.half else nullcontext()
    )
    parts = (training.objective, training.parameters, training.settings, ranks, precision)
    if training.zero is None or ranks.count == 1:
        return ReplicatedEngine(*parts)
    from lynx.training.deepspeed import ZeroEngine

    return ZeroEngine(*parts, training.device, training.zero)


def _take_step(
    training: Training[Item, Batch],
    engine: Engine,
    ranks: Ranks,
    stop: StopRequest,
    step: int,
    batches: Placed[Batch],
) -> Record | None:
    """One optimiser step: micro-batches weigh equally (method section 5.3).

    `batches` are this rank's, with their places among all of the step. None if any rank was asked
    to stop: then no rank has changed its weights. In lockstep a step that was begun is finished.
    """
    if engine.lockstep and any(ranks.gather(stop.asked)):
        return None
    rate = training.settings.learning_rate * training.plan.rate_factor(step)
    engine.begin(rate)
    parts = training.plan.parts(step)
    own: dict[int, Terms] = {}
    for count, (index, batch) in enumerate(batches, start=1):
        if stop.asked and not engine.lockstep:
            break
        last = count == len(batches)
        if index is None:
            engine.backward(batch, math.inf, last=last)
            continue
        torch.manual_seed(_part_seed(training.plan.seed, step, index))
        own[index] = engine.backward(batch, parts, last=last)
    told = ranks.gather((stop.asked, own))
    if not engine.lockstep and any(asked for asked, _ in told):
        return None
    terms = {index: found for _, part in told for index, found in part.items()}
    totals: Record = {}
    for index in sorted(terms):
        for key, value in terms[index].items():
            totals[key] = totals.get(key, 0.0) + value / parts
    _require_finite(training.name, "loss", totals["loss"], step)
    norm = engine.step()
    # Training would go on from spoilt weights, and every later run would.
    _require_finite(training.name, "gradient norm", norm, step)
    return {"step": step + 1, **totals, "learning_rate": rate, "grad_norm": norm}


def _part_seed(seed: int, step: int, index: int) -> int:
    """Of a micro-batch's dropout: whichever rank takes it, and whatever that one took before."""
    names = ("step", step) if index == 0 else ("step", step, "part", index)
    return derived_seed(seed, *names)


def _require_finite(name: str, what: str, value: float, step: int) -> None:
    if not math.isfinite(value):
        raise InputError(
            f"{name}: the {what} is {value} at step {step + 1}, expected a finite number; "
            "look at the log, lower learning_rate or check the data, and run again"
        )


def _share(parts: list[list[Item]]) -> Placed[list[Item]]:
    """This rank's micro-batches of a step, with their places; perhaps none of a short one."""
    return [*here().share(parts)]


def _lockstep_share(parts: list[list[Item]]) -> Placed[list[Item]]:
    """As many micro-batches on every rank; those without a place have no weight."""
    own, most = _share(parts), math.ceil(len(parts) / here().count)
    return own + [(None, parts[0])] * (most - len(own))


def _loaded_ahead(
    training: Training[Item, Batch],
    first: int,
    share: Callable[[list[list[Item]]], Placed[list[Item]]],
    stop: StopRequest,
) -> Iterator[tuple[int, Placed[Batch]]]:
    """Steps with this rank's micro-batches, the next step's loading while this one is computed.

    Nothing more is loaded once a stop is asked for: such a step is given up.
    """
    plan = training.plan

    def load(step: int) -> Placed[Batch]:
        own = share(plan.micro_batches(step))
        return [(index, training.load(items)) for index, items in own if not stop.asked]

    with ThreadPoolExecutor(1) as pool:
        ahead: Future[Placed[Batch]] | None = None
        if first < plan.steps:
            ahead = pool.submit(load, first)
        for step in range(first, plan.steps):
            assert ahead is not None
            batches = ahead.result()
            ahead = pool.submit(load, step + 1) if step + 1 < plan.steps else None
            yield step, batches


@dataclass
class _Log:
    """The log on the disk, None on other ranks than the first; lines wait until they are flushed.

    It is opened anew for each flush: a stream that a full disk has refused would say so once more
    as it is closed, in the place of the sentence that names it.
    """

    path: Path | None
    waiting: list[str] = field(default_factory=list)

    def flush(self) -> None:
        """Write what waits to the disk."""
        text = "".join(self.waiting)
        self.waiting.clear()  # a part may be written before a fault, and must not come twice
        if self.path is not None and text:
            append_flushed(self.path, text)


@contextmanager
def _open_log(state: Path, records: list[Record], ranks: Ranks) -> Iterator[_Log]:
    """The log, rewritten to these records and open for more; the first rank's alone."""
    kept = _Log(state / LOG_NAME if ranks.first else None)
    if kept.path is not None:
        # In one rename, so that a kill here loses no earlier line.
        write_atomic(kept.path, "".join(map(sealed_line, records)))
    try:
        yield kept
    finally:
        kept.flush()


def _read_log(path: Path) -> list[Record]:
    """The records of an interrupted run's log, up to the first line that is damaged."""
    records: list[Record] = []
    if not path.is_file():
        return records
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        record = open_line(line)
        if record is None or record["step"] != len(records) + 1:
            break
        records.append(record)
    return records


def log_text(records: list[Record]) -> str:
    """The log as JSON Lines, one step a line."""
    return "".join(json.dumps(record) + "\n" for record in records)
