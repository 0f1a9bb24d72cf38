"""Which device a process computes on: the site asks, the GPUs there are and the ranks decide."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lynx.config.files import SiteConfig
from lynx.config.loading import load_experiment
from lynx.errors import InputError
from lynx.ranks.device import device_name, pick_device
from lynx.ranks.place import STORE

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    torch.use_deterministic_algorithms(False)


def site(**changed: object) -> SiteConfig:
    shipped = load_experiment([ROOT / "config/config.yaml"], {}, ROOT).site
    return shipped.model_copy(update={"threads": 3, **changed})


def gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


@pytest.mark.parametrize(
    ("asked", "count", "device"),
    [("auto", 0, "cpu"), ("auto", 1, "cuda"), ("cpu", 1, "cpu"), ("cuda", 1, "cuda")],
)
def test_the_site_and_the_gpus_decide(
    monkeypatch: pytest.MonkeyPatch, asked: str, count: int, device: str
) -> None:
    gpus(monkeypatch, count)
    assert pick_device(site(device=asked)) == torch.device(device)
    assert torch.get_num_threads() == 3


def test_a_gpu_that_is_asked_for_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 0)
    sentence = (
        "site.device: cuda is asked for but no GPU is visible to torch; "
        "set it to auto or cpu, or run on a GPU node"
    )
    with pytest.raises(InputError, match=f"^{re.escape(sentence)}$"):
        pick_device(site(device="cuda"))


def test_deterministic_kernels_are_asked_for_before_a_gpu_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":0:0")
    assert pick_device(site(device="cpu")).type == "cpu"
    assert not torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":0:0"
    device = pick_device(site(device="cpu", deterministic=True))
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert device_name(device) == "cpu, 3 threads, deterministic"


def test_each_rank_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 4)
    chosen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"card {device.index}")
    for name, value in {
        STORE: "meeting",
        "RANK": "2",
        "LOCAL_RANK": "2",
        "WORLD_SIZE": "4",
    }.items():
        monkeypatch.setenv(name, value)
    own = pick_device(site(device="auto"))
    assert own == torch.device("cuda", 2)
    assert chosen == [own]
    assert device_name(own) == "4 x card 2"
