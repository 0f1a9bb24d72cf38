"""The published commands by name."""

from __future__ import annotations

from lynx.config.targets import named_targets
from tests.unit.config_copy import load


def test_each_benchmark_is_aligned_tuned_and_scored_by_name() -> None:
    targets = named_targets(load({"benchmarks": ["scanqa", "sqa3d", "avqa"], "seed": 3}))
    assert targets == {
        "align_scanqa": ["runs/demo/align/3d/seed3/manifest.json"],
        "sft_scanqa": ["runs/demo/sft/lynx/scanqa/seed3/manifest.json"],
        "eval_scanqa": ["results/demo/lynx/scanqa/seed3/metrics.json"],
        "align_sqa3d": ["runs/demo/align/3d/seed3/manifest.json"],
        "sft_sqa3d": ["runs/demo/sft/lynx/sqa3d/seed3/manifest.json"],
        "eval_sqa3d": ["results/demo/lynx/sqa3d/seed3/metrics.json"],
        "align_avqa": ["runs/demo/align/vggsound/seed3/manifest.json"],
        "sft_avqa": ["runs/demo/sft/lynx/avqa/seed3/manifest.json"],
        "eval_avqa": ["results/demo/lynx/avqa/seed3/metrics.json"],
        "align_3d": ["runs/demo/align/3d/seed3/manifest.json"],
    }


def test_the_size_is_configuration() -> None:
    targets = named_targets(
        load({"scale": "7b", "recipe": "released", "benchmarks": ["scanqa", "sqa3d"]})
    )
    assert targets["align_scanqa"] == ["runs/7b/align/scanqa/seed0/manifest.json"]
    assert targets["align_sqa3d"] == ["runs/7b/align/sqa3d/seed0/manifest.json"]
    assert "align_3d" not in targets
