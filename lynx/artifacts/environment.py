"""What an artefact was made with: package versions, device, git revision."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RECORDED_PACKAGES = (
    "lynx",
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "numpy",
    "pillow",
    "pycocoevalcap",
)


def package_versions() -> dict[str, str]:
    """Versions of the packages that can move a number; absent ones are named `absent`."""
    return {name: _version(name) for name in RECORDED_PACKAGES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def git_revision() -> str:
    """The commit of the source tree, with `+changes` where the tree differs, or `unknown`."""
    tree = Path(__file__).resolve().parents[2]
    command = ["git", "-C", str(tree), "describe", "--always", "--abbrev=40", "--dirty=+changes"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return result.stdout.strip() if result.returncode == 0 else "unknown"


def describe_environment(
    device: str, gpu_target: str = "cpu", attention: str | None = None
) -> dict[str, str]:
    """The environment block of a manifest; `attention` is what a base's parts computed with."""
    block = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "device": device,
        "gpu_target": gpu_target,
        "git": git_revision(),
        **package_versions(),
    }
    if attention is not None:
        block["attention"] = attention
        if "flash" in attention:
            block["flash-attn"] = _version("flash-attn")
    return block
