"""Checks of `lynx doctor` that really do something: decode, resample, compute on the GPU."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from lynx import machine
from lynx.check import Check
from lynx.config.gpu_targets import GPU_TARGETS, GpuTargetName
from lynx.errors import InputError


def check_media() -> Iterator[Check]:
    """A tiny film with sound is really written, decoded and resampled."""
    with tempfile.TemporaryDirectory(prefix="lynx-doctor-") as folder:
        film = Path(folder) / "probe.mp4"
        for name in ("video", "audio"):
            try:
                # Here, so that a library that does not load is a line of the report.
                from lynx import probe_media

                if not film.exists():
                    probe_media.write_probe(film)
                read = probe_media.read_video if name == "video" else probe_media.read_sound
                yield Check(name, "ok", read(film))
            except Exception as error:  # whatever a decoder raises is the finding
                yield Check(name, "missing", "does not decode", told(error))


def check_accelerator(
    device: str, target: GpuTargetName = "cpu", dtype: str = "bfloat16"
) -> Iterator[Check]:
    """Whether torch opens, sees a GPU and computes on it the way that the target says.

    A GPU is needed only where the site says `cuda`.
    """
    try:
        torch = machine.inspect_torch()
    except (ImportError, OSError) as error:
        yield Check("torch", "missing", f"does not import ({error})", "run `make setup`")
        return
    built = f", CUDA {torch.cuda}" if torch.cuda else ""
    yield Check("torch", "ok", f"{torch.version}{built}, imported in {torch.seconds:.1f} s")
    if torch.accelerator is not None:
        driver = f", driver {torch.driver}" if torch.driver else ""
        found = f"{torch.accelerator}{driver}, attention: {torch.attention}"
        yield Check("accelerator", "ok", found)
        yield check_target(torch, target)
        yield check_kernels(target, dtype)
        return
    found = f"none visible to torch, attention: {torch.attention}"
    if device == "cuda":
        advice = (
            "config/site.yaml asks for cuda: run on a node that has a GPU and its driver, or set "
            "device: auto"
        )
        yield Check("accelerator", "missing", found, advice)
    else:
        advice = "jobs run on the CPU: minutes at the demo scale, too slow above it"
        yield Check("accelerator", "note", found, advice)
    where = f"run `lynx doctor` on a node that has one to see what gpu_target {target} does there"
    yield Check("kernels", "note", "not tried without a GPU", where)


def check_target(torch: machine.TorchState, target: GpuTargetName) -> Check:
    """The visible cards and this torch's CUDA against what the target is made for."""
    made_for = GPU_TARGETS[target]
    capability = ".".join(map(str, torch.capability or ()))
    found = f"{target}: compute capability {capability}, CUDA {torch.cuda}"
    if torch.cuda and int(torch.cuda.split(".")[0]) != made_for.cuda:
        advice = f"envs/{target}.yaml has CUDA {made_for.cuda}; run in that environment"
        return Check("gpu_target", "note", found, advice)
    if made_for.capability is not None and made_for.capability != torch.capability:
        expected = ".".join(map(str, made_for.capability))
        advice = (
            f"{target} is made for {made_for.cards}, {expected}; the next line says whether this "
            "one works"
        )
        return Check("gpu_target", "note", found, advice)
    return Check("gpu_target", "ok", found)


def check_kernels(target: GpuTargetName, dtype: str) -> Check:
    """A matmul and attention really run on each visible GPU, by the target's kernels."""
    try:
        kernels = machine.try_kernels(target, dtype)
    except (InputError, ImportError, OSError, RuntimeError) as error:
        return Check("kernels", "missing", "do not run", told(error))
    if kernels.wrong:
        advice = "check the driver and the card (nvidia-smi -q -d ECC), and keep jobs off this node"
        return Check("kernels", "missing", f"wrong numbers: {kernels.wrong}", advice)
    every = f"{kernels.devices} of {kernels.devices} GPUs"
    found = f"bfloat16 matmul and attention ({kernels.attention}) right on {every}"
    return Check("kernels", "ok", found)


def told(error: Exception) -> str:
    """The first line of an error, with its kind where it says little alone."""
    line = str(error).strip().partition("\n")[0]
    return line if isinstance(error, InputError) else f"{type(error).__name__}: {line}"
