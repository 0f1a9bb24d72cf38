"""Checkpoints are whole or absent: nothing half-written is ever read."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import torch
from torch import nn

from lynx.training import checkpoint
from lynx.training.checkpoint import load_newest, restore_newest, save_checkpoint

Parameters = dict[str, nn.Parameter]


def trained(seed: int, steps: int = 3) -> tuple[Parameters, torch.optim.Optimizer]:
    """Two parameters and an AdamW that has taken some steps."""
    torch.manual_seed(seed)
    parameters = {"a": nn.Parameter(torch.randn(3, 4)), "b.c": nn.Parameter(torch.randn(5))}
    optimizer = torch.optim.AdamW(parameters.values(), lr=0.1, weight_decay=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        sum((item**3).sum() for item in parameters.values()).backward()
        optimizer.step()
    return parameters, optimizer


def contents(parameters: Parameters, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    found = {name: item.detach().clone() for name, item in parameters.items()}
    for name, item in parameters.items():
        for key, value in optimizer.state[item].items():
            found[f"{name}/{key}"] = value.clone()
    return found


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def test_round_trip_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """Weights, both moments and the step count; the next step is that of the original."""
    parameters, optimizer = trained(1)
    save_checkpoint(tmp_path, 3, parameters, optimizer)
    other, fresh = trained(2, steps=0)
    assert restore_newest(tmp_path, other, fresh) == 3
    assert same(contents(other, fresh), contents(parameters, optimizer))
    for items, stepper in ((parameters, optimizer), (other, fresh)):
        stepper.zero_grad()
        sum((item**3).sum() for item in items.values()).backward()
        stepper.step()
    assert same(contents(other, fresh), contents(parameters, optimizer))


def test_nothing_saved(tmp_path: Path) -> None:
    """No folder and an empty one are step 0 and leave everything alone."""
    parameters, optimizer = trained(1)
    before = contents(parameters, optimizer)
    assert restore_newest(tmp_path / "none", parameters, optimizer) == 0
    assert restore_newest(tmp_path, parameters, optimizer) == 0
    assert same(contents(parameters, optimizer), before)


def test_only_the_newest_two_stay(tmp_path: Path) -> None:
    """Older checkpoints go once a newer one is whole."""
    for step in (5, 10, 15, 20):
        save_checkpoint(tmp_path, step, *trained(step))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["step-00000015", "step-00000020"]
    files = sorted(path.name for path in (tmp_path / names[1]).iterdir())
    assert files == ["meta.json", "state.safetensors"]


@pytest.mark.parametrize(
    "damage",
    ["flip", "cut", "empty", "no-state", "no-meta", "half-meta", "empty-meta", "other-step"],
)
def test_a_damaged_newest_falls_back(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The one before is used, with a warning that names the damaged one."""
    parameters, optimizer = trained(1)
    save_checkpoint(tmp_path, 3, parameters, optimizer)
    save_checkpoint(tmp_path, 6, *trained(1, steps=6))
    newest = tmp_path / "step-00000006"
    state, meta = newest / "state.safetensors", newest / "meta.json"
    whole = state.read_bytes()
    if damage == "flip":
        state.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif damage == "cut":
        state.write_bytes(whole[:-10])
    elif damage == "no-meta":
        meta.unlink()
    elif damage == "half-meta":
        meta.write_text('{"step": 6, "sha', encoding="utf-8")
    elif damage == "empty":
        state.write_bytes(b"")
    elif damage == "empty-meta":
        meta.write_bytes(b"")
    elif damage == "other-step":
        meta.write_text(meta.read_text(encoding="utf-8").replace("6", "7", 1), encoding="utf-8")
    else:
        state.unlink()
    other, fresh = trained(2, steps=0)
    with caplog.at_level(logging.WARNING):
        assert restore_newest(tmp_path, other, fresh) == 3
    assert same(contents(other, fresh), contents(parameters, optimizer))
    assert caplog.messages == [
        f"{newest}: checkpoint does not match its hash, trying the one before"
    ]


def test_no_flipped_bit_of_the_meta_file_passes(tmp_path: Path) -> None:
    """Another letter, no text at all, another shape: the one before is used, at its own step."""
    save_checkpoint(tmp_path, 3, *trained(1))
    save_checkpoint(tmp_path, 6, *trained(1, steps=6))
    meta = tmp_path / "step-00000006/meta.json"
    whole = meta.read_bytes()
    found = set()
    for at in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[at // 8] ^= 1 << at % 8
        meta.write_bytes(flipped)
        step, _ = load_newest(tmp_path)
        found.add(step)
        assert step == 3 or json.loads(flipped) == json.loads(whole), flipped
    assert 3 in found


def test_a_checkpoint_whose_log_was_lost_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_checkpoint(tmp_path, 3, *trained(1))
    save_checkpoint(tmp_path, 6, *trained(1, steps=6))
    with caplog.at_level(logging.WARNING):
        assert restore_newest(tmp_path, *trained(2, steps=0), 5) == 3
    assert caplog.messages == [
        f"{tmp_path}/step-00000006: the log ends at step 5, trying the one before"
    ]


def test_all_damaged_is_a_fresh_start(tmp_path: Path) -> None:
    """Without one whole checkpoint training begins anew, from untouched weights."""
    save_checkpoint(tmp_path, 3, *trained(1))
    (tmp_path / "step-00000003" / "state.safetensors").write_bytes(b"")
    parameters, optimizer = trained(2, steps=0)
    before = contents(parameters, optimizer)
    assert restore_newest(tmp_path, parameters, optimizer) == 0
    assert same(contents(parameters, optimizer), before)


@pytest.mark.parametrize("last", ["save_file", "hash_file", "fsync_tree"])
def test_killed_while_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    """A writer that dies before the rename leaves the checkpoint before as the newest."""
    parameters, optimizer = trained(1)
    save_checkpoint(tmp_path, 3, parameters, optimizer)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, last, die)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(tmp_path, 6, *trained(1, steps=6))
    other, fresh = trained(2, steps=0)
    assert restore_newest(tmp_path, other, fresh) == 3
    assert same(contents(other, fresh), contents(parameters, optimizer))
    save_checkpoint(tmp_path, 6, *trained(1, steps=6))  # a draft left behind is no obstacle
    assert restore_newest(tmp_path, other, fresh) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000003", "step-00000006"]


def test_nothing_is_pickled(tmp_path: Path) -> None:
    """Tensors in safetensors, the rest in JSON (architecture, rule 10)."""
    save_checkpoint(tmp_path, 3, *trained(1))
    meta = json.loads((tmp_path / "step-00000003" / "meta.json").read_text(encoding="utf-8"))
    assert meta.keys() == {"step", "sha256"}
    assert meta["step"] == 3
