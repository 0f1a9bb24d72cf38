"""Recipe keys of variants: what they may be, what they come to, and whose alignment is whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from lynx.config import slices
from lynx.config.experiment import Experiment
from lynx.config.files import VariantConfig
from lynx.config.inputs import (
    align_inputs,
    features_inputs,
    predict_inputs,
    reference_inputs,
    sft_inputs,
)
from lynx.config.layout import Layout
from lynx.config.names import require_names
from lynx.config.overrides import Overrides
from lynx.config.stages import Recipe
from lynx.config.streams import stream_folder, vision_parent
from lynx.config.variants import ALIGN_KEYS, EVALUATE_KEYS, SFT_KEYS, keys_of
from lynx.errors import InputError
from tests.unit.config_copy import copy_config, load, replace

LAYOUT = Layout(Path(), "0.5b")
X_OF_TABLE_6 = {
    "rank-8": 39_379_456,
    "rank-16": 43_566_080,
    "rank-32": 51_939_328,
    "rank-64": 68_685_824,
}


def with_variant(root: Path, text: str) -> Path:
    """A copied configuration with one more variant."""
    path = copy_config(root) / "config/variants.yaml"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{text}\n", encoding="utf-8")
    return root


def paper() -> Experiment:
    return load({"scale": "0.5b", "recipe": "paper"})


@pytest.mark.parametrize("key", [*ALIGN_KEYS, *SFT_KEYS, *EVALUATE_KEYS])
def test_every_key_of_a_variant_is_one_of_a_recipe(key: str) -> None:
    assert Overrides.parse("a file", {key: None}).values == {tuple(key.split(".")): None}


def test_the_ablations_are_the_papers() -> None:
    """Tables 5 and 6: one thing differs from lynx, and alpha is twice the vision rank."""
    experiment = paper()
    lynx = experiment.recipes["scanqa"]
    differs: dict[str, dict[str, object]] = {
        "no-attention": {"attention_weight": 0.0},
        "no-moments": {"moment_weight": 0.0},
        "rank-8": {"lora": {"rank": 8, "alpha": 16, "dropout": 0.05}},
        "rank-16": {"lora": {"rank": 16, "alpha": 32, "dropout": 0.05}},
        "rank-32": {"lora": {"rank": 32, "alpha": 64, "dropout": 0.05}},
    }
    for variant, changes in differs.items():
        recipe = experiment.recipe_of(variant, "scanqa")
        assert recipe.align.model_dump() == {**lynx.align.model_dump(), **changes}
        assert recipe.model_copy(update={"align": lynx.align}) == lynx
    assert experiment.recipe_of("video-only", "scanqa") is lynx


def test_the_sweep_counts_the_papers_parameters() -> None:
    """Table 6: 26 blocks of 4 linears of 1152 and an MLP of 4304, and 24 blocks of the language."""
    experiment = paper()
    per_rank = 26 * (4 * 2 * 1152 + 2 * (1152 + 4304))
    language = 35_192_832
    assert experiment.recipes["scanqa"].sft.lora.rank == 64
    for variant, count in X_OF_TABLE_6.items():
        recipe = experiment.recipe_of(variant, "scanqa")
        assert recipe.align.lora.rank * per_rank + language == count
        assert recipe.align.lora.alpha == 2 * recipe.align.lora.rank
        assert recipe.sft.lora.rank == 64


def test_lynx_keeps_its_paths() -> None:
    experiment = paper()
    for variant in ("lynx", "no-attention"):
        assert experiment.align_names == {"scanqa": "3d", "sqa3d": "3d"}, variant
    assert vision_parent(experiment, LAYOUT, "lynx", "scanqa") == (
        "align",
        Path("runs/0.5b/align/3d/seed0"),
    )
    folder = Path("runs/0.5b/features/scanqa/val")
    found = stream_folder(experiment, LAYOUT, "lynx", "scanqa", "val", "aligned")
    assert found == folder / "aligned/seed0"


def test_another_alignment_has_its_own_artefacts() -> None:
    experiment = paper()
    features = Path("runs/0.5b/features/scanqa/train")
    assert vision_parent(experiment, LAYOUT, "rank-8", "sqa3d") == (
        "align",
        Path("runs/0.5b/align/3d-rank-8/seed0"),
    )
    found = stream_folder(experiment, LAYOUT, "rank-8", "scanqa", "train", "aligned")
    assert found == features / "aligned-rank-8/seed0"
    found = stream_folder(experiment, LAYOUT, "rank-8", "scanqa", "train", "video")
    assert found == features / "video"
    assert sft_inputs(experiment, "rank-8", "scanqa") == [
        "runs/0.5b/base/manifest.json",
        "runs/0.5b/data/scanqa/manifest.json",
        "runs/0.5b/features/scanqa/train/video/manifest.json",
        "runs/0.5b/features/scanqa/train/aligned-rank-8/seed0/manifest.json",
    ]
    assert features_inputs(experiment, "scanqa", "aligned", "rank-8")[-1] == (
        "runs/0.5b/align/3d-rank-8/seed0/manifest.json"
    )
    assert features_inputs(experiment, "scanqa", "aligned")[-1] == (
        "runs/0.5b/align/3d/seed0/manifest.json"
    )


def test_equal_settings_share_the_alignment() -> None:
    """The demo's own rank is 16, so that its sweep has nothing to add there."""
    experiment = load()
    assert experiment.recipes["scanqa"].align.lora.rank == 16
    assert not experiment.has_own_vision("rank-16", "scanqa")
    assert experiment.has_own_vision("rank-8", "scanqa")
    assert not paper().has_own_vision("rank-64", "scanqa"), "lynx has that rank there"
    own = (
        *("no-attention", "no-moments", "rank-32", "rank-64", "rank-8"),
        *("reference-all", "reference-audio", "reference-video"),
    )
    shared = (
        *("lynx", "video-only", "plain-tower", "repeated-video", "zero-shot", "no-align"),
        *("rank-16", "reference-3d"),
    )
    assert {"3d", *(f"3d-{name}" for name in own)} <= set(experiment.alignments)
    assert not {f"3d-{name}" for name in shared} & set(experiment.alignments)
    assert {*own, *shared} <= set(experiment.variants)
    own = predict_inputs(experiment, "rank-16", "scanqa")
    lynx = predict_inputs(experiment, "lynx", "scanqa")
    assert [name.replace("sft/rank-16", "sft/lynx") for name in own] == lynx


def test_a_benchmarks_own_alignment_is_named_by_it() -> None:
    experiment = load({"scale": "7b", "recipe": "released"})
    assert experiment.align_name("rank-8", "sqa3d") == "sqa3d-rank-8"
    assert experiment.align_settings("sqa3d-rank-8").steps_per_item == 2
    assert experiment.alignments["sqa3d-rank-8"].group == "3d"


def test_a_slice_holds_the_variants_own_numbers() -> None:
    experiment = paper()
    lynx, own = (slices.align_slice(experiment, name) for name in ("3d", "3d-rank-8"))
    assert own["align"]["lora"] == {"rank": 8, "alpha": 16, "dropout": 0.05}
    assert {**own, "align": {**own["align"], "lora": lynx["align"]["lora"]}} == lynx
    # Stage 3 reads the same numbers; whose tokens they meet is in its parents.
    lynx, own = (slices.sft_slice(experiment, name, "scanqa") for name in ("lynx", "rank-8"))
    assert own == lynx


def test_keys_are_laid_over_the_overrides(tmp_path: Path) -> None:
    root = with_variant(
        tmp_path,
        "short:\n  x: none\n  sft: true\n  recipe:\n    sft.optimizer.epochs: 1\n"
        "    evaluate.max_new_tokens: 3",
    )
    overrides = {"sft.optimizer.epochs": 7, "sft.optimizer.learning_rate": 0.5}
    experiment = load({"overrides": overrides}, root)
    recipe = experiment.recipe_of("short", "sqa3d")
    assert (recipe.sft.optimizer.epochs, recipe.sft.optimizer.learning_rate) == (1, 0.5)
    assert experiment.recipes["sqa3d"].sft.optimizer.epochs == 7
    settings = slices.predict_slice(experiment, "short", "sqa3d")
    assert settings["max_new_tokens"] == 3
    assert settings["sft"]["optimizer"]["epochs"] == 1


REFUSED = {
    "mistyped": (
        "aligned",
        "true",
        "align.lora.rnk: 8",
        "config/variants.yaml: unknown key 'mine.recipe.align.lora.rnk'; did you mean 'rank'?",
    ),
    "below a value": (
        "aligned",
        "true",
        "align.lora.rank.r: 8",
        "config/variants.yaml: key 'mine.recipe.align.lora.rank.r' goes on below 'rank', which is "
        "a plain value; remove '.r'",
    ),
    "no x": (
        "none",
        "true",
        "align.lora.rank: 8",
        "config/variants.yaml: key 'mine.recipe.align.lora.rank' decides nothing that a variant "
        "with x: none and sft: true may have of its own; remove it, or set one of "
        "sft.questions_per_clip, sft.lora, sft.optimizer, evaluate.max_new_tokens, "
        "evaluate.min_new_tokens, evaluate.questions_per_batch",
    ),
    "not trained": (
        "none",
        "false",
        "sft.lora.rank: 8",
        "config/variants.yaml: key 'mine.recipe.sft.lora.rank' decides nothing that a variant "
        "with x: none and sft: false may have of its own; remove it, or set one of "
        "evaluate.max_new_tokens, evaluate.min_new_tokens, evaluate.questions_per_batch",
    ),
    "shared": (
        "plain",
        "false",
        "frames.per_scene: 8",
        "config/variants.yaml: key 'mine.recipe.frames.per_scene' decides nothing that a variant "
        "with x: plain and sft: false may have of its own; remove it, or set one of "
        "evaluate.max_new_tokens, evaluate.min_new_tokens, evaluate.questions_per_batch",
    ),
}


@pytest.mark.parametrize(("x", "sft", "key", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_keys_that_a_variant_cannot_have(
    tmp_path: Path, x: str, sft: str, key: str, expected: str
) -> None:
    root = with_variant(tmp_path, f"mine:\n  x: {x}\n  sft: {sft}\n  recipe: {{{key}}}")
    with pytest.raises(InputError) as caught:
        load(root=root)
    assert str(caught.value) == expected


WRONG = {
    "a value": (
        "{align.lora.rank: many}",
        "config/variants.yaml: key 'mine.recipe.align.lora.rank' is 'many', expected a whole "
        "number above 0",
    ),
    "a pair of values": (
        "{align.optimizer.micro_batch: 5}",
        "config/variants.yaml: variant 'mine': config/recipes/demo.yaml: at "
        "'align.3d.demo.optimizer', batch 16 is not a multiple of micro_batch 5; choose a "
        "micro_batch that divides it",
    ),
    "nothing to train": (
        "{align.attention_weight: 0.0, align.moment_weight: 0.0}",
        "config/variants.yaml: variant 'mine': config/recipes/demo.yaml: at 'align.3d.demo', "
        "attention_weight and moment_weight are both 0, so that nothing is trained; raise one of "
        "them",
    ),
}


@pytest.mark.parametrize(("keys", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_fault_is_told_when_the_variant_is_asked_for(
    tmp_path: Path, keys: str, expected: str
) -> None:
    root = with_variant(tmp_path, f"mine:\n  x: aligned\n  sft: true\n  recipe: {keys}")
    experiment = load(root=root)
    asked = (
        lambda: load({"compare_with": ["mine"]}, root),
        lambda: require_names(experiment, {"variant": "mine"}),
        lambda: experiment.recipe_of("mine", "scanqa"),
        lambda: sft_inputs(experiment, "mine", "scanqa"),
        lambda: features_inputs(experiment, "scanqa", "aligned", "mine"),
    )
    for ask in asked:
        with pytest.raises(InputError) as caught:
            ask()
        assert str(caught.value) == expected


def test_a_variant_without_x_has_no_vision_adapter() -> None:
    with pytest.raises(InputError) as caught:
        vision_parent(load(), LAYOUT, "video-only", "scanqa")
    assert str(caught.value) == (
        "variant 'video-only' has no vision adapter; config/variants.yaml says x: none"
    )
    assert keys_of(VariantConfig(x="none", sft=False)) == EVALUATE_KEYS


AUDIO = ("charades", "music", "vggsound")


def test_references_are_named_by_what_their_groups_draw() -> None:
    """Table 7, on ScanQA; what the paper pools as audio sets are these three."""
    experiment = paper()
    alignments = experiment.alignments
    assert alignments["3d"].references == ("3d",)
    assert alignments["3d-reference-audio"].references == AUDIO
    everything = alignments["3d-reference-all"].references
    assert set(everything) >= {*AUDIO, "3d", "egoexo4d"}
    assert list(everything) == sorted(everything)
    # Lynx takes its own group's, which is what that row of the table has.
    assert not experiment.has_own_vision("reference-3d", "scanqa")


def test_only_the_references_differ() -> None:
    experiment = paper()
    lynx, own = (slices.align_slice(experiment, n) for n in ("3d", "3d-reference-audio"))
    assert "references" not in lynx
    assert "references" not in lynx["align"]
    assert own == {**lynx, "references": list(AUDIO)}
    shared = align_inputs(experiment, "3d")
    reference = "runs/0.5b/reference/{}/manifest.json"
    assert align_inputs(experiment, "3d-reference-audio") == [
        *shared[:2],
        *(reference.format(group) for group in AUDIO),
        *shared[3:],
    ]
    assert shared[2] == reference.format("3d")


def test_groups_are_pulled_in_as_their_own_runs_have_them() -> None:
    """Else tables and frames would be made again whenever other benchmarks are configured."""
    pulled, own = paper(), load({"scale": "0.5b", "benchmarks": ["music_avqa"]})
    assert pulled.group_benchmarks("music") == own.group_benchmarks("music") == ["music_avqa"]
    assert slices.data_slice(pulled, "music_avqa") == slices.data_slice(own, "music_avqa")
    assert slices.frames_slice(pulled, "music") == slices.frames_slice(own, "music")
    assert slices.reference_slice(pulled, "music") == slices.reference_slice(own, "music")
    assert reference_inputs(pulled, "music") == reference_inputs(own, "music")
    require_names(pulled, {"group": "music", "source": "music_avqa"})


def test_what_is_not_asked_for_needs_no_data(tmp_path: Path) -> None:
    root = copy_config(tmp_path)
    replace(root, "config/site.yaml", "  music_avqa_videos: data", "  else_where: data")
    experiment = load({"scale": "0.5b"}, root)
    assert list(experiment.read_by_default()) == ["scanqa", "sqa3d"]
    with pytest.raises(InputError) as caught:
        experiment.align_name("reference-audio", "scanqa")
    assert str(caught.value) == (
        "config/variants.yaml: variant 'reference-audio': config/site.yaml: key "
        "'data.music_avqa_videos' is missing, but config/benchmarks/music_avqa.yaml takes its "
        "clips from there; add the folder"
    )
    shown = load({"scale": "0.5b", "compare_with": ["reference-audio"]})
    assert set(shown.read_by_default()) == {"scanqa", "sqa3d", "avqa", "avsd", "music_avqa"}


def test_a_modality_that_the_recipe_lacks(tmp_path: Path) -> None:
    root = with_variant(
        tmp_path, "mine:\n  x: aligned\n  sft: true\n  recipe: {align.references: [smell]}"
    )
    experiment = load(root=root)
    with pytest.raises(InputError) as caught:
        require_names(experiment, {"variant": "mine"})
    drawn = sorted({recipe.align.drawing.modality for recipe in _demo_recipes()})
    assert str(caught.value) == (
        "config/variants.yaml: key 'mine.recipe.align.references' names 'smell', but "
        f"config/recipes/demo.yaml draws no X so at scale 'demo'; choose among {', '.join(drawn)}"
    )
    with pytest.raises(InputError) as caught:
        load({"overrides": {"align.references": ["smell"]}})
    assert str(caught.value).startswith(
        "command line: key 'overrides.align.references' names 'smell', but "
    )


def _demo_recipes() -> list[Recipe]:
    experiment = load({"overrides": {"align.references": "all"}})
    return [*experiment.recipes.values(), *experiment.pooled.values()]


def test_lynx_itself_may_pool() -> None:
    experiment = load({"overrides": {"align.references": "all"}})
    assert set(experiment.alignments["3d"].references) >= {"3d", "music"}
    assert "music_avqa" in experiment.read_by_default()
    assert not experiment.has_own_vision("reference-all", "scanqa")
    assert experiment.align_name("reference-3d", "scanqa") == "3d-reference-3d"


def test_without_an_interface_stage_both_adapters_belong_to_stage_3() -> None:
    """Table 5: the tower is live in training, so X is features only where it is scored."""
    experiment = paper()
    assert vision_parent(experiment, LAYOUT, "no-align", "scanqa") == (
        "sft",
        Path("runs/0.5b/sft/no-align/scanqa/seed0"),
    )
    assert sft_inputs(experiment, "no-align", "scanqa") == [
        "runs/0.5b/base/manifest.json",
        "runs/0.5b/data/scanqa/manifest.json",
        "runs/0.5b/frames/3d/manifest.json",
        "runs/0.5b/features/scanqa/train/video/manifest.json",
    ]
    sft = "runs/0.5b/sft/no-align/scanqa/seed0/manifest.json"
    assert features_inputs(experiment, "scanqa", "aligned", "no-align")[-1] == sft
    assert predict_inputs(experiment, "no-align", "scanqa") == [
        "runs/0.5b/base/manifest.json",
        "runs/0.5b/data/scanqa/manifest.json",
        sft,
        "runs/0.5b/features/scanqa/val/video/manifest.json",
        "runs/0.5b/features/scanqa/val/aligned-no-align/seed0/manifest.json",
    ]
    lynx, own = (slices.sft_slice(experiment, name, "scanqa") for name in ("lynx", "no-align"))
    recipe = experiment.recipes["scanqa"]
    assert own == {
        **lynx,
        "x": "joint",
        "frames": recipe.frames.model_dump(mode="json"),
        "vision_lora": {"rank": 64, "alpha": 128, "dropout": 0.05},
    }


def test_a_joint_variant_may_have_another_rank(tmp_path: Path) -> None:
    root = with_variant(
        tmp_path,
        "joint-8:\n  x: joint\n  sft: true\n  recipe: {align.lora.rank: 8, align.lora.alpha: 16}",
    )
    experiment = load(root=root)
    assert experiment.vision_lora("joint-8", "scanqa").rank == 8
    assert slices.sft_slice(experiment, "joint-8", "scanqa")["vision_lora"]["rank"] == 8
    assert "3d-joint-8" not in experiment.alignments
    assert keys_of(experiment.variants["joint-8"])[0] == "align.lora"


def test_joint_needs_stage_3(tmp_path: Path) -> None:
    root = with_variant(tmp_path, "mine:\n  x: joint\n  sft: false")
    with pytest.raises(InputError) as caught:
        load(root=root)
    assert str(caught.value) == (
        "config/variants.yaml: at 'mine', x: joint trains the vision adapter in stage 3, but sft "
        "is false; set it to true"
    )
