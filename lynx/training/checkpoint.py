"""Checkpoints of a training run: whole or absent, nothing pickled.

A checkpoint holds the trained tensors and AdamW's moments after a step. Random state is not needed:
each micro-batch draws from a generator seeded by the run's seed, the step and its place in it. Nor
is the number of ranks: another number goes on from the same file.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.publish import fsync_path, fsync_tree, saving_state

KEPT = 2
STATE_FILE, META_FILE = "state.safetensors", "meta.json"
MOMENTS = ("exp_avg", "exp_avg_sq", "step")
log = logging.getLogger(__name__)


def save_checkpoint(
    folder: Path,
    step: int,
    parameters: dict[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write the state after `step` steps; see `write_checkpoint`."""
    tensors = {f"weight/{name}": item.detach().cpu() for name, item in parameters.items()}
    for name, parameter in parameters.items():
        for key in MOMENTS:
            value = optimizer.state[parameter].get(key)
            if value is not None:
                tensors[f"{key}/{name}"] = value.detach().cpu().clone()
    write_checkpoint(folder, step, tensors)


def write_checkpoint(folder: Path, step: int, tensors: dict[str, torch.Tensor]) -> None:
    """Write tensors beside, flush, rename; then keep only the newest two checkpoints.

    Raises InputError for a full, failing or read-only disk; the checkpoints before stand.
    """
    target = folder / f"step-{step:08d}"
    draft = folder / f".step-{step:08d}.draft"
    with saving_state(target):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            _fill(draft, step, tensors)
            shutil.rmtree(target, ignore_errors=True)
            os.rename(draft, target)
        except Exception:
            shutil.rmtree(draft, ignore_errors=True)  # gives a full disk its room back
            raise
        fsync_path(folder)  # before the older ones go
        for old in sorted(folder.glob("step-*"))[:-KEPT]:
            shutil.rmtree(old)


def _fill(draft: Path, step: int, tensors: dict[str, torch.Tensor]) -> None:
    save_file({name: item.contiguous() for name, item in tensors.items()}, draft / STATE_FILE)
    meta = {"step": step, "sha256": hash_file(draft / STATE_FILE)}
    (draft / META_FILE).write_text(json.dumps(meta), encoding="utf-8")
    fsync_tree(draft)


def restore_newest(
    folder: Path,
    parameters: dict[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
    most: int | None = None,
) -> int:
    """Load the newest whole checkpoint of at most so many steps; its step, 0 if there is none."""
    step, tensors = load_newest(folder, most)
    for name, parameter in parameters.items() if step else ():
        with torch.no_grad():
            parameter.copy_(tensors[f"weight/{name}"])
        state = optimizer.state[parameter]
        for key in MOMENTS:
            if (value := tensors.get(f"{key}/{name}")) is not None:
                state[key] = value if key == "step" else value.to(parameter.device)
    return step


def load_newest(folder: Path, most: int | None = None) -> tuple[int, dict[str, torch.Tensor]]:
    """Step and tensors of the newest whole checkpoint, on the CPU; 0 and none if there is none.

    Passed over with a warning is one whose bytes do not match its hash, and one of a later step
    than `most`: the log that goes with it was lost.
    """
    for path in sorted(folder.glob("step-*"), reverse=True):
        step = _whole_step(path)
        if step is None:
            log.warning("%s: checkpoint does not match its hash, trying the one before", path)
        elif most is not None and step > most:
            log.warning("%s: the log ends at step %d, trying the one before", path, most)
        else:
            return step, load_file(path / STATE_FILE)
    return 0, {}


def _whole_step(path: Path) -> int | None:
    try:
        meta = json.loads((path / META_FILE).read_text(encoding="utf-8"))
        step = int(meta["step"])
        named = path.name == f"step-{step:08d}"
        return step if named and hash_file(path / STATE_FILE) == meta["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):  # no JSON, no text at all, or another shape
        return None
