"""What a right configuration resolves to."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from lynx.config.loading import load_experiment
from lynx.config.yaml_files import deep_merge, parse_yaml
from tests.unit.config_copy import MAIN, ROOT, copy_config, load, replace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_config(tmp_path)


def test_the_default_is_the_demo() -> None:
    experiment = load_experiment(root=ROOT)
    assert experiment.scale_name == experiment.recipe_name == "demo"
    families = {"scanqa", "sqa3d", "avqa", "music_avqa", "avsd", "egoexo", "videomme", "mvbench"}
    assert set(experiment.recipes) >= families | {"mlvu", "music_avqa_original"}
    assert set(experiment.read_by_default()) == {*experiment.recipes, "llava_video"}
    assert experiment.align_names["scanqa"] == experiment.align_names["sqa3d"] == "3d"
    assert experiment.compare_with == ("video-only", "zero-shot")
    assert experiment.base_folder == ROOT / "models/demo"
    assert experiment.splits_used("scanqa") == ("train", "test_w_obj")


def test_files_merge_left_to_right_and_the_command_line_comes_last(root: Path) -> None:
    (root / "a.yaml").write_text("seed: 1\noverrides: {sft.optimizer.epochs: 1}\n")
    (root / "b.yaml").write_text("seed: 2\noverrides: {sft.lora.rank: 8}\n")
    files = [MAIN, Path("a.yaml"), Path("b.yaml")]
    merged = load_experiment(files, {}, root)
    assert merged.main.seed == 2
    assert merged.recipes["sqa3d"].sft.optimizer.epochs == 1
    assert merged.recipes["sqa3d"].sft.lora.rank == 8
    assert load_experiment(files, {"seed": 3}, root).main.seed == 3


def test_command_line_values_may_be_text() -> None:
    experiment = load(
        {
            "scale": "7b",
            "recipe": "released",
            "seed": "4",
            "benchmarks": "[sqa3d]",
            "compare_with": "[zero-shot]",
            "overrides": "{sft.optimizer.learning_rate: 2e-4, evaluate.questions_per_batch: 8}",
        }
    )
    assert (experiment.scale_name, experiment.recipe_name) == ("7b", "released")
    assert experiment.main.seed == 4
    assert experiment.compare_with == ("zero-shot",)
    assert experiment.recipes["sqa3d"].sft.optimizer.learning_rate == 2e-4
    assert experiment.recipes["sqa3d"].evaluate.questions_per_batch == 8
    assert load({"recipe": "null", "compare_with": "null"}).recipe_name == "demo"


def test_overrides_reach_every_benchmark_and_replace_whole_values() -> None:
    experiment = load(
        {
            "scale": "0.5b",
            "recipe": "released",
            "overrides": {
                "evaluate.view.frames": 20,
                "evaluate.differs_from_training": {},
                "align.lora": {"rank": 8, "alpha": 16, "dropout": 0.0},
            },
        }
    )
    for recipe in experiment.recipes.values():
        assert recipe.evaluate.view.frames == recipe.sft.view.frames == 20
        assert recipe.evaluate.differs_from_training == {}
        assert recipe.align.lora.model_dump() == {"rank": 8, "alpha": 16, "dropout": 0.0}
    untouched = load({"scale": "0.5b", "recipe": "released"})
    assert untouched.recipes["scanqa"].align.lora.rank == 64


def test_an_override_may_give_the_reason_of_a_dotted_key() -> None:
    experiment = load(
        {
            "overrides": {
                "evaluate.view.drawing.clip_mm": [200, 4000],
                "evaluate.differs_from_training.drawing.clip_mm": "how much does range matter",
            }
        }
    )
    evaluate = experiment.recipes["scanqa"].evaluate
    assert evaluate.differs_from_training == {"drawing.clip_mm": "how much does range matter"}


def test_a_benchmark_alone_still_brings_the_sources_of_its_alignment() -> None:
    experiment = load({"benchmarks": ["sqa3d"], "scale": "0.5b"})
    assert list(experiment.recipes) == ["sqa3d"]
    assert experiment.group_benchmarks("3d") == ["scanqa", "sqa3d"]
    assert experiment.splits_used("scanqa") == ("train",)
    assert experiment.group_recipe("3d") == experiment.recipes["sqa3d"]
    assert experiment.align_settings("3d") == experiment.recipes["sqa3d"].align


def test_alignments_of_their_own() -> None:
    experiment = load({"scale": "7b", "recipe": "released"})
    assert experiment.align_names == {"scanqa": "scanqa", "sqa3d": "sqa3d"}
    assert experiment.align_settings("scanqa").steps_per_item == 1
    assert experiment.align_settings("sqa3d").steps_per_item == 2
    assert experiment.alignments["sqa3d"].group == "3d"


def test_site_paths_start_at_the_root_unless_absolute(root: Path) -> None:
    replace(root, "config/site.yaml", "scannet: data/scannet", "scannet: /scans")
    replace(root, "config/site.yaml", "models: models", "models: ~/models")
    site = load(root=root).site
    assert site.data["scannet"] == Path("/scans")
    assert site.data["scanqa"] == root / "data/scanqa"
    assert site.models == Path.home() / "models"


def test_exponents_are_numbers_and_names_are_text() -> None:
    text = "{a: 2e-5, b: -1E3, c: 0.5b, d: 7b, e: 3d, f: 1e, g: 5.e-4}"
    assert parse_yaml(text, "text") == {
        "a": 2e-5,
        "b": -1000.0,
        "c": "0.5b",
        "d": "7b",
        "e": "3d",
        "f": "1e",
        "g": 5e-4,
    }


def test_deep_merge_leaves_its_arguments_alone() -> None:
    below, above = {"a": {"b": 1, "c": [1]}, "d": 1}, {"a": {"c": [2]}, "d": {"e": 2}}
    assert deep_merge(below, above) == {"a": {"b": 1, "c": [2]}, "d": {"e": 2}}
    assert below == {"a": {"b": 1, "c": [1]}, "d": 1}


def test_loading_needs_no_heavy_package() -> None:
    code = (
        "import sys; from lynx.config.loading import load_experiment; load_experiment();"
        "print(*sorted({'torch', 'transformers', 'pandas', 'av', 'decord'} & set(sys.modules)))"
    )
    started = time.monotonic()
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == ""
    assert time.monotonic() - started < 10  # 0.5 s on an idle machine
