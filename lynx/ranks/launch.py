"""Start a command again as several ranks, wait for them, and say what ended them.

The processes are run by the part of torch that runs those of `torchrun`. Its rendezvous is left
out: it opens a port on every interface and unpickles what it is sent there.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lynx.errors import InputError
from lynx.ranks.device import pick_device
from lynx.ranks.place import LAUNCHER, STOPPED, STORE, here, joined

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing import ProcessFailure

    from lynx.config.experiment import Experiment

WRONG_INPUT = 2
ERROR_FILE = "TORCHELASTIC_ERROR_FILE"  # where torch looks for what a process says of its end
GRACE = 120  # seconds for the ranks to save their state; a cluster's own limit is mostly shorter
PERIOD = 0.2  # seconds between two looks at the ranks
ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
TORCH_SIGNALS = "TORCHELASTIC_SIGNALS_TO_HANDLE"  # those that torch installs handlers for


def on_ranks(experiment: Experiment, asked: int | None, work: Callable[[], None]) -> None:
    """Do `work` here, or let as many ranks of this same command do it as there are GPUs for it.

    `asked` is what the user asks for; without it, it is the scale's `gpus` where there are GPUs.
    """
    if here().count > 1:
        with joined(pick_device(experiment.site)):
            work()
        return
    count = _count(experiment, asked)
    if count == 1:
        work()
    else:
        launch(count, sys.argv[1:])


def _count(experiment: Experiment, asked: int | None) -> int:
    """The number of ranks; a launcher imports no more than it needs for this."""
    gpus, choice = experiment.scale.gpus, experiment.site.device
    if asked == 1 or (asked is None and gpus <= 1):
        return 1
    import torch

    if choice == "cpu" or not torch.cuda.is_available():
        return asked or 1
    count, seen = asked or gpus, torch.cuda.device_count()
    if count > seen:
        scale = experiment.scale_name
        key = "--ranks" if asked is not None else f"config/scales/{scale}.yaml: gpus"
        raise InputError(
            f"{key} {count}: torch sees {seen}, expected a GPU for each rank; lower it, or ask the "
            "cluster for more"
        )
    return count


def launch(count: int, arguments: Sequence[str]) -> None:
    """Run `lynx` with these arguments as `count` ranks on this machine.

    Raises InputError with the sentence of a rank that ended with one. SIGTERM is handed on, so that
    the ranks save their state; if they end by it, or another one dies, this ends with SystemExit.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, start_processes

    logging.getLogger("torch.distributed.elastic.multiprocessing.api").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="lynx-ranks-") as folder, _noted_signals() as noted:
        context = start_processes(
            "lynx",
            sys.executable,
            args=dict.fromkeys(range(count), ("-m", "lynx.cli", *arguments)),
            envs={index: rank_environment(index, count, Path(folder)) for index in range(count)},
            logs_specs=DefaultLogsSpecs(log_dir=folder),
        )
        result = None
        while result is None and not noted:
            result = context.wait(timeout=PERIOD, period=PERIOD)
        if result is None:
            context.close(signal.SIGTERM, timeout=GRACE)
            raise SystemExit(128 + noted[0])
        if result.is_failed():
            _tell(list(result.failures.values()), count)


def rank_environment(index: int, count: int, folder: Path) -> dict[str, str]:
    """What tells a process that it is a rank, and that the others are on this machine."""
    return {
        "RANK": str(index),
        "LOCAL_RANK": str(index),
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
        STORE: str(folder / "store"),
        LAUNCHER: str(os.getpid()),
        "GLOO_SOCKET_IFNAME": "lo",
        "NCCL_SOCKET_IFNAME": "lo",
    }


@contextmanager
def _noted_signals() -> Iterator[list[int]]:
    """Signals that ask for an end, noted and not acted on: one that comes while ranks are being
    started would leave some behind. Torch, whose handlers raise, is told to install none."""
    noted: list[int] = []
    before = {name: signal.getsignal(name) for name in ENDINGS}
    torch_asks = os.environ.get(TORCH_SIGNALS)
    os.environ[TORCH_SIGNALS] = ""
    for name in (name for name, handler in before.items() if handler is not signal.SIG_IGN):
        signal.signal(name, lambda number, _: noted.append(number))
    try:
        yield noted
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
        if torch_asks is None:
            del os.environ[TORCH_SIGNALS]
        else:
            os.environ[TORCH_SIGNALS] = torch_asks


def _tell(failures: Sequence[ProcessFailure], count: int) -> None:
    """Raise what ended the ranks: the one whose end made the others end."""
    cause = min(failures, key=_how_telling)
    if cause.exitcode == WRONG_INPUT and Path(cause.error_file).is_file():
        raise InputError(cause.message)
    if cause.exitcode in (STOPPED, -signal.SIGTERM):
        raise SystemExit(STOPPED)
    how = f"exit code {cause.exitcode}" if cause.exitcode > 0 else cause.signal_name()
    print(
        f"lynx: rank {cause.local_rank} of {count} (process {cause.pid}) ended with {how}, so the "
        "others were stopped; look at the log, and run the same command again",
        file=sys.stderr,
    )
    raise SystemExit(1)


def _how_telling(failure: ProcessFailure) -> tuple[int, float, int]:
    """A sentence tells most, then a kill; what ended by our own SIGTERM tells least."""
    code = failure.exitcode
    if code == WRONG_INPUT:
        kind = 0
    elif code in (STOPPED, -signal.SIGTERM):
        kind = 3
    else:
        kind = 1 if code < 0 else 2
    return kind, failure.timestamp, failure.local_rank


def hand_over(sentence: str) -> bool:
    """In a rank, leave the sentence to its launcher, which says it once; False elsewhere."""
    path = os.environ.get(ERROR_FILE)
    if path is None or STORE not in os.environ:
        return False
    text = json.dumps({"message": sentence, "timestamp": str(int(time.time()))})
    Path(path).write_text(text, encoding="utf-8")
    return True
