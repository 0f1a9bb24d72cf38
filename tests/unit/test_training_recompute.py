"""Gradient checkpointing changes memory and time, and no bit of a result."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lynx.config.stages import LoraSettings
from lynx.model.adapters import adapter_parameters, add_adapter, set_trainable
from lynx.sft.train import decoder_layers
from lynx.training.recompute import must_recompute, recompute
from tests.tiny_model import open_base, random_pixels, randomise_adapter

LORA = LoraSettings(rank=4, alpha=8, dropout=0.3)


def gradients(folder: Path, *, again: bool) -> tuple[torch.Tensor, dict[str, torch.Tensor], int]:
    """Output, gradients of the language adapter, and bytes kept for the way back."""
    base = open_base(folder, ["language"])
    add_adapter(base, "language", LORA, seed=1)
    randomise_adapter(base, "language", seed=2)
    set_trainable(base, "language")
    if again:
        recompute(decoder_layers(base))
    kept = 0

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal kept
        kept += tensor.nbytes
        return tensor

    torch.manual_seed(5)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = base.language(inputs_embeds=random_pixels(2, 30, 48), use_cache=False)[0]
    forward = kept
    out.square().mean().backward()
    parameters = adapter_parameters(base, "language")
    return out.detach(), {name: item.grad for name, item in parameters.items()}, forward  # type: ignore[misc]


def test_nothing_but_memory_changes(tiny_base: Path) -> None:
    """With dropout, which is drawn twice alike."""
    plain, again = (gradients(tiny_base, again=choice) for choice in (False, True))
    assert torch.equal(plain[0], again[0])
    assert plain[1].keys() == again[1].keys()
    for name, grad in plain[1].items():
        assert grad is not None
        assert float(grad.abs().max()) > 0
        assert torch.equal(grad, again[1][name]), name
    assert again[2] < plain[2] / 4


@pytest.mark.parametrize(
    ("device", "half", "wanted"),
    [("cuda", True, True), ("cuda", False, False), ("cpu", True, False), ("cpu", False, False)],
)
def test_where_it_is_on(device: str, half: bool, wanted: bool) -> None:
    """For models in half precision on a GPU, and nowhere else."""
    assert must_recompute(torch.device(device), half) is wanted
