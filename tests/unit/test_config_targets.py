"""The published commands by name."""

from __future__ import annotations

import re

import pytest
import yaml

from lynx.config.targets import named_targets
from lynx.config.workflow import WorkflowConfig
from tests.unit.config_copy import MAIN, ROOT, load


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
        "align_vggsound": ["runs/demo/align/vggsound/seed3/manifest.json"],
    }


def test_the_size_is_configuration() -> None:
    targets = named_targets(
        load({"scale": "7b", "recipe": "released", "benchmarks": ["scanqa", "sqa3d"]})
    )
    assert targets["align_scanqa"] == ["runs/7b/align/scanqa/seed0/manifest.json"]
    assert targets["align_sqa3d"] == ["runs/7b/align/sqa3d/seed0/manifest.json"]
    assert targets["align_3d"] == targets["align_scanqa"] + targets["align_sqa3d"]


@pytest.mark.parametrize("benchmark", ["scanqa", "sqa3d"])
def test_a_group_is_aligned_by_name_whichever_of_it_runs(benchmark: str) -> None:
    targets = named_targets(load({"benchmarks": [benchmark]}))
    assert targets["align_3d"] == ["runs/demo/align/3d/seed0/manifest.json"]


def test_what_is_trained_once_for_several_is_scored_on_all_of_them() -> None:
    scored = ["videomme", "mvbench", "mlvu"]
    targets = named_targets(load({"benchmarks": ["egoexo", *scored]}))
    reports = {name: f"results/demo/lynx/{name}/seed0/metrics.json" for name in scored}
    assert targets["eval_llava_video"] == list(reports.values())
    assert targets["sft_llava_video"] == ["runs/demo/sft/lynx/llava_video/seed0/manifest.json"]
    align = ["runs/demo/align/fastvideo/seed0/manifest.json"]
    assert targets["align_llava_video"] == targets["align_fastvideo"] == align
    for name, report in reports.items():
        assert targets[f"eval_{name}"] == [report]
        assert targets[f"sft_{name}"] == targets["sft_llava_video"]
    # Ego-Exo4D's alignment has a target of its own, and comes with its tuning too.
    assert targets["align_egoexo"] == ["runs/demo/align/egoexo4d/seed0/manifest.json"]
    assert targets["sft_egoexo"] == ["runs/demo/sft/lynx/egoexo/seed0/manifest.json"]


def test_the_table_of_published_commands_names_targets() -> None:
    """Of README's table, with the benchmarks of the committed configuration."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = text.split("### The published commands by name")[1].split("\n## ")[0]
    named = set(re.findall(r"\b(?:align|sft|eval)_[a-z0-9_]+\b", rows))
    main = yaml.safe_load((ROOT / MAIN).read_text(encoding="utf-8"))
    targets = named_targets(load({"benchmarks": main["benchmarks"]}))
    assert named <= set(targets)
    sets = ("avqa", "music_avqa", "avsd", "scanqa", "egoexo", "llava_video")
    scripts = {f"{stage}_{name}" for stage in ("align", "sft", "eval") for name in sets}
    assert scripts | {"align_3d", "eval_videomme", "eval_mvbench", "eval_mlvu"} <= named


def test_analyses_are_what_no_headline_shows() -> None:
    """The ablations of the publication on ScanQA, our controls of equal length on every set."""
    known = WorkflowConfig((), (), ROOT, load({"benchmarks": ["scanqa", "avqa"], "seed": 3}))
    of_the_paper = [
        *("no-attention", "no-moments", "no-align", "rank-8", "rank-16", "rank-32", "rank-64"),
        *("reference-audio", "reference-3d", "reference-video", "reference-all"),
    ]
    assert sorted(known.analyses()) == sorted(
        [
            "results/demo/geometry.json",
            "results/demo/stability.json",
            *(f"results/demo/{name}/scanqa/seed3/metrics.json" for name in of_the_paper),
            *(
                f"results/demo/{name}/{benchmark}/seed3/metrics.json"
                for name in ("plain-tower", "repeated-video")
                for benchmark in ("scanqa", "avqa")
            ),
        ]
    )


def test_a_control_may_be_run_over_seeds_and_not_by_default() -> None:
    known = WorkflowConfig((), (), ROOT, load({"benchmarks": ["scanqa"]}))
    assert known.variants() == ["lynx", "video-only", "zero-shot"]
    assert known.seed_variants() == ["lynx", "video-only", "plain-tower", "zero-shot"]
    assert "results/demo/training/sft/plain-tower/scanqa/seed0.csv" in known.training_curves()


def test_who_says_what_is_compared_gets_no_other_control() -> None:
    chosen = {"benchmarks": ["scanqa"], "compare_with": ["zero-shot"]}
    known = WorkflowConfig((), (), ROOT, load(chosen))
    assert known.seed_variants() == known.variants() == ["lynx", "zero-shot"]
    assert not [name for name in known.training_curves() if "plain-tower" in name]


def test_one_reference_is_not_compared() -> None:
    """Without variants that pool references of other groups there is that of the one group."""
    experiment = load({"benchmarks": ["scanqa"]})
    alone = experiment.model_copy(
        update={"benchmarks": {"scanqa": experiment.benchmarks["scanqa"]}, "pooled": {}}
    )
    found = WorkflowConfig((), (), ROOT, alone).analyses()
    assert "results/demo/geometry.json" in found
    assert "results/demo/stability.json" not in found
