"""Stability of references over sources: against the covariance itself, and the stage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lynx.align.measures import run_stability
from lynx.align.stability import equal_sources, layer_stability, stability, summary
from lynx.artifacts.sealed import content_of
from lynx.artifacts.verify import require_stage
from lynx.errors import InputError
from lynx.report.verification import verify
from tests.project_copy import load, run_two_groups, two_group_project


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) + 1.0


def test_one_layer_is_the_covariance_between_its_sources() -> None:
    sources = normal(4, 2, 3, 5, seed=1).half()
    rows = sources.double().flatten(1)
    covariance = torch.cov(rows.T)  # divides by 3
    found = layer_stability("keys", 7, sources)
    assert found.layer == 7
    assert found.trace == pytest.approx(float(covariance.trace()) / 30, rel=1e-12)
    assert found.norm2 == pytest.approx(float(rows.mean(dim=0).square().sum()) / 30, rel=1e-12)
    assert found.ratio == pytest.approx(
        float(rows.mean(dim=0).square().sum() / covariance.trace()), rel=1e-12
    )


def test_hand_made_sources() -> None:
    """Means 2 and 0 of the two elements, variances 2 and 8 with the divisor 1."""
    layers = stability(
        "keys",
        {
            "films": torch.tensor([[1.0, 2.0], [4.0, 1.0]]).reshape(2, 1, 1, 2),
            "rooms": torch.tensor([[3.0, -2.0], [4.0, 3.0]]).reshape(2, 1, 1, 2),
        },
    )
    assert [(each.layer, each.norm2, each.trace, each.ratio) for each in layers] == [
        (0, 2.0, 5.0, 0.4),
        (1, 10.0, 1.0, 10.0),
    ]
    assert summary(layers) == {
        "norm2": {"min": 2.0, "max": 10.0, "mean": 6.0},
        "trace": {"min": 1.0, "max": 5.0, "mean": 3.0},
        "ratio": {"max": 10.0, "max_layer": 1, "min": 0.4, "min_layer": 0},
    }


def test_one_source_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        stability("keys", {"3d": normal(2, 1, 2, 2, seed=2)})
    assert str(caught.value) == (
        "stability: references of 1 group found (3d), expected at least 2; add benchmarks of other "
        "groups to benchmarks in config/config.yaml"
    )


def test_equal_sources_have_no_ratio() -> None:
    one = normal(2, 1, 2, 2, seed=3)
    other = one.clone()
    other[0] += 1
    with pytest.raises(InputError) as caught:
        stability("values", {"films": one, "rooms": other, "sounds": one})
    assert str(caught.value) == (
        "stability: the values of all 3 sources are equal in layer 1, expected references of "
        "different videos; check reference.sources in the recipe"
    )


def test_sources_of_the_same_videos_are_named() -> None:
    one, other = normal(2, 1, 2, 2, seed=4), normal(2, 1, 2, 2, seed=5)
    sources = {"films": one, "rooms": other, "sounds": one.clone(), "talks": one.clone()}
    assert equal_sources(sources) == [["films", "sounds", "talks"]]
    assert equal_sources({"films": one, "rooms": other}) == []


def test_the_stage_compares_the_references_of_all_groups(tmp_path: Path) -> None:
    root = two_group_project(tmp_path / "project")
    project = load(root)
    run_two_groups(project)
    run_stability(project)
    report = json.loads((root / "results/demo/stability.json").read_text(encoding="utf-8"))
    assert report["content"] == content_of(report)
    assert (report["stage"], report["scale"], report["synthetic"]) == ("stability", "demo", True)
    assert report["base"] == require_stage(project.layout.base, "base").content
    folders = {group: project.layout.reference(group) for group in ("3d", "other")}
    assert report["parents"] == {
        f"runs/demo/reference/{group}": require_stage(folder, "reference").content
        for group, folder in folders.items()
    }
    assert report["counts"] == {"sources": 2, "divisor": 1}
    assert report["equal_sources"] == []
    files = [load_file(folder / "reference.safetensors") for folder in folders.values()]
    for kind, name in {"keys": "vision_ref_k", "values": "vision_ref_v"}.items():
        rows = torch.stack([tensors[name].double() for tensors in files]).flatten(2)
        for layer, found in enumerate(report["layers"][kind]):
            mean, variance = rows[:, layer].mean(dim=0), rows[:, layer].var(dim=0)
            assert found["layer"] == layer
            assert found["norm2"] == pytest.approx(float(mean.square().mean()), rel=1e-12)
            assert found["trace"] == pytest.approx(float(variance.mean()), rel=1e-12)
        ratios = [found["ratio"] for found in report["layers"][kind]]
        assert report["summary"][kind]["ratio"] == {
            "max": max(ratios),
            "max_layer": ratios.index(max(ratios)),
            "min": min(ratios),
            "min_layer": ratios.index(min(ratios)),
        }
    links = verify([root / "results/demo/stability.json"], deep=True)
    assert [link.problems for link in links] == [[]] * len(links)
    assert len(links) == 9, "measure, base, world, and table, frames, reference of each group"
    other = {**project.experiment.main.overrides, "reference.max_clips": 2}
    with pytest.raises(InputError) as caught:
        run_stability(load(root, overrides=other))
    assert str(caught.value) == (
        f"{folders['3d']}: a reference of another recipe than the configured one; "
        "run the reference rule again"
    )


def test_the_stage_refuses_one_group(root: Path) -> None:
    with pytest.raises(InputError, match=r"^stability: references of 1 group found \(3d\), "):
        run_stability(load(root))
    assert not (root / "results/demo/stability.json").exists()
