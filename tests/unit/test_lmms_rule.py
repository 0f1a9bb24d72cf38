"""The rule `lmms` in the DAG: what has to be there before lmms-eval is asked."""

from __future__ import annotations

from pathlib import Path

from lynx.config.inputs import lmms_inputs
from lynx.config.layout import Layout, manifest
from tests.unit.config_copy import load
from tests.workflow.snakemake_runs import planned
from tests.workflow.test_fast_family import write_tree

RUN = "lynx/mvbench/seed0"


def test_lmms_eval_needs_the_adapter_and_no_features_of_its_own(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "project")
    jobs = planned(root, f"results/0.5b/{RUN}/lmms_eval.json", "--config", "scale=0.5b")
    runs = "runs/0.5b"
    assert jobs.pop(f"results/0.5b/{RUN}/lmms_eval.json") == "lmms"
    assert jobs.pop(f"{runs}/lmms/{RUN}/manifest.json") == "lmms"
    assert jobs.pop(f"{runs}/data/mvbench/manifest.json") == "data"
    assert jobs.pop(f"{runs}/sft/lynx/llava_video/seed0/manifest.json") == "sft"
    assert {name for name in jobs if "/features/" in name} == {
        f"{runs}/features/llava_video/train/video/manifest.json",
        f"{runs}/features/llava_video/train/aligned/seed0/manifest.json",
    }
    assert set(jobs.values()) == {
        "base", "data", "frames", "reference", "align", "features_fixed", "features_aligned",
    }  # fmt: skip


def test_what_is_read_is_an_input() -> None:
    """The chain from the language adapter to the vision adapter, and what both have met."""
    experiment = load({"scale": "0.5b", "benchmarks": ["mvbench"]})
    layout = Layout(Path(), "0.5b")
    alone = [
        *(layout.base, layout.data("mvbench"), layout.data("llava_video")),
        layout.sft("video-only", "llava_video", 0),
    ]
    assert lmms_inputs(experiment, "video-only", "mvbench") == list(map(manifest, alone))
    assert set(lmms_inputs(experiment, "lynx", "mvbench")) == {
        manifest(folder)
        for folder in (
            *(layout.base, layout.data("mvbench"), layout.data("llava_video")),
            layout.sft("lynx", "llava_video", 0),
            layout.features("llava_video", "train", "video", 0),
            layout.features("llava_video", "train", "aligned", 0),
            layout.align("fastvideo", 0),
        )
    }
