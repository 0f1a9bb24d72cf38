"""Adapter folders made from other adapter folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def edited(source: Path, target: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> Path:
    """A copy of an adapter folder with other tensors."""
    target.mkdir()
    tensors = load_file(source / "adapter_model.safetensors")
    change(tensors)
    save_file(tensors, target / "adapter_model.safetensors")
    config = (source / "adapter_config.json").read_text(encoding="utf-8")
    (target / "adapter_config.json").write_text(config, encoding="utf-8")
    return target
