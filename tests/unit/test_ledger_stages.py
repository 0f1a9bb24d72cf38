"""Jobs of Snakemake as stages of the ledger, and what of them may leave the machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lynx.ledger.jobs import Job
from lynx.ledger.render import pipeline_text, rendered_stages, settings_text
from lynx.ledger.stages import Stage, stages_of

RUNS = "runs/0.5b"
CURVE = "results/0.5b/training/sft/lynx/scanqa/seed0.csv"


def job(rule: str, inputs: list[str], *outputs: str, settings: str = "a" * 64) -> Job:
    return Job(rule, tuple(inputs), outputs, settings)


def manifest(folder: str) -> str:
    return f"{RUNS}/{folder}/manifest.json"


def raw_jobs(*raw: str) -> list[Job]:
    """Tables, frames and what is made from them; `raw` is what the tables are read from."""
    score = "results/0.5b/lynx/scanqa/seed0/metrics.json"
    return [
        job("score", [manifest("predictions/lynx/scanqa/seed0"), manifest("data/scanqa")], score),
        job("predict", [manifest("sft/lynx/scanqa/seed0")],
            manifest("predictions/lynx/scanqa/seed0")),
        job("sft", [manifest("frames/3d"), "models/7b/config.json"],
            manifest("sft/lynx/scanqa/seed0")),
        job("frames", [manifest("data/scanqa")], manifest("frames/3d")),
        job("data", list(raw), manifest("data/scanqa")),
        job("headline", [score], "results/scanqa/metrics.json"),
        job("curve", [manifest("sft/lynx/scanqa/seed0")], CURVE),
        job("seeds", [score], "results/tables/scanqa-seeds.csv", "results/tables/scanqa-seeds.md"),
        job("geometry", [manifest("frames/3d")], "results/0.5b/geometry.json"),
        job("stability", [manifest("frames/3d")], "results/0.5b/stability.json"),
    ]  # fmt: skip


def by_name(jobs: list[Job]) -> dict[str, Stage]:
    return {stage.name: stage for stage in stages_of(jobs)}


def test_one_stage_for_each_artefact_parents_first() -> None:
    assert list(by_name(raw_jobs("data/scanqa/train.json"))) == [
        "data-scanqa",
        "frames-3d",
        "sft-lynx-scanqa-seed0",
        "evaluate-lynx-scanqa-seed0",
        "headline-scanqa",
        "tables",
        "geometry",
        "stability",
    ]


def test_what_holds_raw_data_is_no_more_than_an_inventory() -> None:
    stages = by_name(raw_jobs("data/scanqa/train.json"))
    assert stages["data-scanqa"].outs == (manifest("data/scanqa"),)
    assert stages["frames-3d"].outs == (manifest("frames/3d"),)
    assert stages["sft-lynx-scanqa-seed0"].outs == (f"{RUNS}/sft/lynx/scanqa/seed0",)


def test_what_was_rendered_needs_no_licence() -> None:
    jobs = [*raw_jobs(manifest("world/rooms")), job("world", [], manifest("world/rooms"))]
    stages = by_name(jobs)
    assert stages["world-rooms"].outs == (f"{RUNS}/world/rooms",)
    assert stages["data-scanqa"].outs == (f"{RUNS}/data/scanqa",)
    assert stages["frames-3d"].outs == (f"{RUNS}/frames/3d",)


def test_raw_data_and_base_models_are_no_dependencies() -> None:
    stages = by_name(raw_jobs("/lab/scanqa/train.json"))
    assert stages["data-scanqa"].deps == ()
    assert stages["sft-lynx-scanqa-seed0"].deps == (manifest("frames/3d"),)


def test_a_score_is_recorded_with_its_predictions() -> None:
    stage = by_name(raw_jobs())["evaluate-lynx-scanqa-seed0"]
    assert stage.targets == ("results/0.5b/lynx/scanqa/seed0/metrics.json",)
    assert stage.deps == (manifest("data/scanqa"), manifest("sft/lynx/scanqa/seed0"))
    assert stage.artefacts == (f"{RUNS}/predictions/lynx/scanqa/seed0",)
    assert stage.small == stage.targets


@pytest.mark.parametrize("changed", range(10))
def test_settings_name_what_decides_a_stage(changed: int) -> None:
    before, jobs = by_name(raw_jobs()), raw_jobs()
    one = jobs[changed]
    jobs[changed] = job(one.rule, list(one.inputs), *one.outputs, settings="b" * 64)
    after = by_name(jobs)
    (stage,) = [name for name in before if before[name].settings != after[name].settings]
    assert set(one.outputs) <= {*after[stage].manifests, *after[stage].small}


@pytest.fixture
def rendered(tmp_path: Path) -> Path:
    """A project whose ledger is rendered from all the jobs."""
    stages = stages_of(raw_jobs("data/scanqa/train.json"))
    (tmp_path / "dvc.yaml").write_text(pipeline_text(stages), encoding="utf-8")
    (tmp_path / "params.yaml").write_text(settings_text(stages), encoding="utf-8")
    return tmp_path


def test_a_run_of_all_has_every_stage_of_the_files(rendered: Path) -> None:
    jobs = raw_jobs("data/scanqa/train.json")
    assert rendered_stages(rendered, jobs) == list(stages_of(jobs))


def test_jobs_that_no_stage_has_are_left_out(rendered: Path) -> None:
    """A page of samples, a table: what is only shown."""
    jobs = raw_jobs("data/scanqa/train.json")
    shown = job("report", ["results/scanqa/metrics.json"], "results/report.html")
    assert rendered_stages(rendered, [shown, *jobs]) == list(stages_of(jobs))


def test_other_settings_and_what_is_made_from_them_are_no_stages_of_the_files(
    rendered: Path,
) -> None:
    jobs = raw_jobs("data/scanqa/train.json")
    at = [each.rule for each in jobs].index("sft")
    jobs[at] = job("sft", list(jobs[at].inputs), *jobs[at].outputs, settings="b" * 64)
    names = [stage.name for stage in rendered_stages(rendered, jobs)]
    assert names == ["data-scanqa", "frames-3d", "geometry", "stability"]


def test_a_stage_of_other_files_is_no_stage_of_the_files(rendered: Path) -> None:
    """As a headline of another seed."""
    jobs = raw_jobs("data/scanqa/train.json")
    score = "results/0.5b/lynx/scanqa/seed7/metrics.json"
    at = [each.rule for each in jobs].index("headline")
    jobs[at] = job("headline", [score], *jobs[at].outputs)
    names = {stage.name for stage in rendered_stages(rendered, jobs)}
    assert names == {*by_name(jobs)} - {"headline-scanqa"}


def test_a_part_of_a_stage_is_no_stage(rendered: Path) -> None:
    """As the score of predictions that were asked for alone, or one of the tables over seeds."""
    jobs = raw_jobs("data/scanqa/train.json")
    some = [each for each in jobs if each.rule not in ("score", "headline", "seeds")]
    names = {stage.name for stage in rendered_stages(rendered, some)}
    assert names == {"data-scanqa", "frames-3d", "sft-lynx-scanqa-seed0", "geometry", "stability"}


def test_a_project_without_a_rendered_ledger_has_no_stage(tmp_path: Path) -> None:
    assert rendered_stages(tmp_path, raw_jobs()) == []


def test_dvc_keeps_what_snakemake_made_and_leaves_small_files_to_git() -> None:
    """DVC deletes outputs that do not persist before it runs a stage."""
    stages = yaml.safe_load(pipeline_text(stages_of(raw_jobs())))["stages"]
    small = {"cache": False, "persist": True}
    assert stages["evaluate-lynx-scanqa-seed0"] == {
        "cmd": [
            "snakemake --profile local --quiet rules -- "
            "results/0.5b/lynx/scanqa/seed0/metrics.json",
            "lynx verify runs/0.5b/predictions/lynx/scanqa/seed0/manifest.json "
            "results/0.5b/lynx/scanqa/seed0/metrics.json",
        ],
        "deps": [manifest("data/scanqa"), manifest("sft/lynx/scanqa/seed0")],
        "params": ["evaluate-lynx-scanqa-seed0"],
        "outs": [{f"{RUNS}/predictions/lynx/scanqa/seed0": {"persist": True}}],
        "metrics": [{"results/0.5b/lynx/scanqa/seed0/metrics.json": small}],
    }
    for name, path in {
        "headline-scanqa": "results/scanqa/metrics.json",
        "geometry": "results/0.5b/geometry.json",
    }.items():
        made = f"snakemake --profile local --quiet rules -- {path}"
        assert stages[name]["cmd"] == [made, f"lynx verify {path}"]
        assert stages[name]["metrics"] == [{path: small}]
    assert len(stages["tables"]["cmd"]) == 1  # `lynx verify` knows no tables
    assert stages["tables"]["outs"] == [
        {"results/tables/scanqa-seeds.csv": small},
        {"results/tables/scanqa-seeds.md": small},
    ]
    assert stages["tables"]["plots"] == [{CURVE: {**small, "x": "step", "y": "loss"}}]
    assert stages["settings"]["outs"] == [{"params.yaml": small}]


def test_the_same_jobs_in_any_order_give_the_same_settings() -> None:
    jobs = raw_jobs()
    assert settings_text(stages_of(jobs)) == settings_text(stages_of(jobs[::-1]))
