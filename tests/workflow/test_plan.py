"""What Snakemake would do, before anything has run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project_copy import FAMILY, copy_tree, edit_yaml
from tests.unit.config_copy import listed, listed_variants
from tests.workflow.snakemake_runs import SCANQA, SQA3D, planned, snakemake

RUNS = "runs/demo"
SHARED = {
    f"{RUNS}/world/rooms/manifest.json": "world",
    f"{RUNS}/base/manifest.json": "base",
    f"{RUNS}/data/scanqa/manifest.json": "data",
    f"{RUNS}/data/sqa3d/manifest.json": "data",
    f"{RUNS}/frames/3d/manifest.json": "frames",
    f"{RUNS}/reference/3d/manifest.json": "reference",
    f"{RUNS}/align/3d/seed0/manifest.json": "align",
}


def own(benchmark: str, scored: str) -> dict[str, str]:
    """Jobs of one benchmark: lynx beside video-only, as config/ci.yaml asks."""
    jobs = {f"results/{benchmark}/metrics.json": "headline"}
    for split in ("train", scored):
        folder = f"{RUNS}/features/{benchmark}/{split}"
        jobs[f"{folder}/video/manifest.json"] = "features_fixed"
        jobs[f"{folder}/aligned/seed0/manifest.json"] = "features_aligned"
    for variant in ("lynx", "video-only"):
        run = f"{variant}/{benchmark}/seed0"
        jobs[f"{RUNS}/sft/{run}/manifest.json"] = "sft"
        jobs[f"{RUNS}/predictions/{run}/manifest.json"] = "predict"
        jobs[f"results/demo/{run}/metrics.json"] = "score"
    return jobs


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed configuration for one family, a base, and nothing that has been run."""
    root = copy_tree(tmp_path_factory.mktemp("plan") / "with space")
    edit_yaml(root / "config/config.yaml", {"benchmarks": FAMILY})
    (root / "models/demo").mkdir(parents=True)
    (root / "models/demo/config.json").write_text("{}", encoding="utf-8")
    return root


def test_scanqa_takes_exactly_these_jobs(tree: Path) -> None:
    assert planned(tree, SCANQA) == SHARED | own("scanqa", "test_w_obj")


def test_both_benchmarks_share_reference_and_alignment(tree: Path) -> None:
    assert planned(tree, SCANQA, SQA3D) == (
        SHARED | own("scanqa", "test_w_obj") | own("sqa3d", "test")
    )


def test_a_published_command_is_what_it_stands_for(tree: Path) -> None:
    score = planned(tree, "results/demo/lynx/scanqa/seed0/metrics.json")
    assert planned(tree, "eval_scanqa") == score
    align = f"{RUNS}/align/3d/seed0/manifest.json"
    jobs = planned(tree, "align_3d", "--config", "benchmarks=[scanqa]")
    assert jobs == planned(tree, align, "--config", "benchmarks=[scanqa]")
    assert jobs[align] == "align"
    assert jobs.items() < score.items()


def test_all_is_the_configured_benchmarks(tree: Path) -> None:
    assert planned(tree, "all") == planned(tree, SCANQA, SQA3D)


def test_a_variant_with_its_own_alignment_repeats_only_what_it_draws(tree: Path) -> None:
    run, folder = "rank-8/scanqa/seed0", f"{RUNS}/features/scanqa"
    shared = {f"{folder}/{split}/video/manifest.json" for split in ("train", "test_w_obj")}
    jobs = {
        name: rule
        for name, rule in SHARED.items()
        if name != f"{RUNS}/align/3d/seed0/manifest.json"
    }
    jobs[f"{RUNS}/align/3d-rank-8/seed0/manifest.json"] = "align"
    jobs |= dict.fromkeys(shared, "features_fixed")
    for split in ("train", "test_w_obj"):
        jobs[f"{folder}/{split}/aligned-rank-8/seed0/manifest.json"] = "features_own"
    jobs[f"{RUNS}/sft/{run}/manifest.json"] = "sft"
    jobs[f"{RUNS}/predictions/{run}/manifest.json"] = "predict"
    jobs[f"results/demo/{run}/metrics.json"] = "score"
    assert planned(tree, f"results/demo/{run}/metrics.json") == jobs


def test_a_variant_of_lynxs_numbers_takes_its_alignment(tree: Path) -> None:
    """The demo's vision rank is 16."""
    run = "results/demo/rank-16/scanqa/seed0/metrics.json"
    jobs = planned(tree, run)
    lynx = planned(tree, run.replace("rank-16", "lynx"))
    assert jobs == {name.replace("/lynx/", "/rank-16/"): rule for name, rule in lynx.items()}


def test_without_an_interface_stage_there_is_no_alignment(tree: Path) -> None:
    run, folder = "no-align/scanqa/seed0", f"{RUNS}/features/scanqa"
    unused = ("reference/3d", "align/3d/seed0")
    skipped = {f"{RUNS}/{name}/manifest.json" for name in unused}
    jobs = {name: rule for name, rule in SHARED.items() if name not in skipped}
    jobs |= {
        f"{folder}/train/video/manifest.json": "features_fixed",
        f"{folder}/test_w_obj/video/manifest.json": "features_fixed",
        f"{folder}/test_w_obj/aligned-no-align/seed0/manifest.json": "features_own",
        f"{RUNS}/sft/{run}/manifest.json": "sft",
        f"{RUNS}/predictions/{run}/manifest.json": "predict",
        f"results/demo/{run}/metrics.json": "score",
    }
    assert planned(tree, f"results/demo/{run}/metrics.json") == jobs


def test_references_of_other_groups_bring_what_these_are_made_of(tree: Path) -> None:
    jobs = planned(tree, "results/demo/reference-audio/scanqa/seed0/metrics.json")
    groups = {"charades": "avsd", "music": "music_avqa", "vggsound": "avqa"}
    for group, benchmark in groups.items():
        assert jobs[f"{RUNS}/data/{benchmark}/manifest.json"] == "data"
        assert jobs[f"{RUNS}/frames/{group}/manifest.json"] == "frames"
        assert jobs[f"{RUNS}/reference/{group}/manifest.json"] == "reference"
    assert [name for name, rule in jobs.items() if rule == "align"] == [
        f"{RUNS}/align/3d-reference-audio/seed0/manifest.json"
    ]
    assert f"{RUNS}/reference/3d/manifest.json" not in jobs


def test_another_seed_shares_what_has_none(tree: Path) -> None:
    first, second = planned(tree, SCANQA), planned(tree, SCANQA, "--config", "seed=1")
    unseeded = {name for name in first if "seed0" not in name}
    assert set(second) == unseeded | {name.replace("seed0", "seed1") for name in first}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--config", "seeed=1"),
            "command line: unknown key 'seeed'; did you mean 'seed'?",
        ),
        (
            ("--config", "scale=demmo"),
            f"command line: unknown scale 'demmo', did you mean 'demo'; known: {listed('scales')}",
        ),
        (
            ("--config", "overrides={sft.lora.rnk: 4}"),
            "command line: unknown key 'overrides.sft.lora.rnk'; did you mean 'rank'?",
        ),
        (
            ("--config", "compare_with=[video]"),
            "command line: unknown variant 'video', did you mean 'video-only'; known: "
            f"{listed_variants()}",
        ),
    ],
    ids=["key", "scale", "recipe key", "variant"],
)
def test_a_faulty_configuration_stops_before_the_dag(
    tree: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    result = snakemake(tree, "-n", SCANQA, *arguments)
    assert result.returncode == 1
    said = result.stdout + result.stderr
    assert sentence in said.splitlines()
    assert "Traceback" not in said
    assert "Building DAG" not in said


def test_values_of_the_command_line_keep_their_types(tree: Path) -> None:
    """Snakemake hands nested values on as text."""
    value = (
        "overrides={sft.optimizer.learning_rate: 2e-3, align.sources: [scanqa], "
        "sft.view.merge_pairs: true, sft.lora: {rank: 4, alpha: 8, dropout: 0.5}, "
        "sft.view.drawing.normals_frame: world, evaluate.view.drawing.normals_frame: world, "
        "sft.differs_from_alignment: {normals_frame: 'why: because'}}"
    )
    result = snakemake(tree, "-n", "-p", SCANQA, "--config", value, profile="local")
    assert result.returncode == 0, result.stdout
    expected = (
        '{"sft.optimizer.learning_rate": 0.002, "align.sources": ["scanqa"], '
        '"sft.view.merge_pairs": true, "sft.lora": {"rank": 4, "alpha": 8, "dropout": 0.5}, '
        '"sft.view.drawing.normals_frame": "world", '
        '"evaluate.view.drawing.normals_frame": "world", '
        '"sft.differs_from_alignment": {"normals_frame": "why: because"}'
    )
    assert expected in result.stdout


def test_a_missing_base_stops_before_anything_runs(tmp_path: Path) -> None:
    root = copy_tree(tmp_path / "no base")
    result = snakemake(root, "-n", SCANQA)
    assert result.returncode == 1
    assert "MissingInputException" in result.stdout + result.stderr
    assert "models/demo/config.json" in result.stdout + result.stderr
    assert not (root / "runs").exists()


def test_snakemake_finds_nothing_to_lint(tree: Path) -> None:
    result = snakemake(tree, "--lint")
    assert result.returncode == 0
    assert "Congratulations, your workflow is in a good condition!" in result.stderr + result.stdout
