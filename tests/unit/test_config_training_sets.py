"""A benchmark that is trained on another one: its adapters, features and numbers are that one's."""

from __future__ import annotations

from pathlib import Path

import pytest

from lynx.benchmarks import get_benchmark
from lynx.config import slices
from lynx.config.experiment import Experiment
from lynx.config.inputs import (
    align_inputs,
    features_inputs,
    frames_inputs,
    predict_inputs,
    sft_inputs,
)
from lynx.config.layout import Layout, manifest
from lynx.config.loading import configured_with
from lynx.config.names import require_names
from lynx.config.training_sets import training_sources
from lynx.errors import InputError
from tests.unit.config_copy import ROOT, copy_config, listed, load, replace

SCORED = ["videomme", "videomme_subtitles", "mvbench", "mlvu"]
LAYOUT = Layout(Path(), "0.5b")


def fast(benchmarks: list[str], **further: object) -> Experiment:
    return load({"scale": "0.5b", "benchmarks": benchmarks, **further})


def refusal(root: Path, *benchmarks: str, **further: object) -> str:
    with pytest.raises(InputError) as caught:
        load({"scale": "0.5b", "benchmarks": list(benchmarks), **further}, root)
    return str(caught.value)


@pytest.mark.parametrize("benchmark", SCORED)
def test_what_is_trained_is_the_other_benchmark(benchmark: str) -> None:
    experiment = fast([benchmark])
    assert experiment.trainer_of(benchmark) == "llava_video"
    assert experiment.trainer_of("llava_video") == "llava_video"
    assert experiment.training_split(benchmark) == "train"
    assert set(experiment.read_by_default()) == {benchmark, "llava_video"}
    assert experiment.align_names == {benchmark: "fastvideo", "llava_video": "fastvideo"}
    assert experiment.splits_used("llava_video") == ("train",)
    scored = experiment.recipes[benchmark].evaluate.split
    assert experiment.splits_used(benchmark) == (scored,)
    assert experiment.is_training("llava_video", "train")
    assert not experiment.is_training(benchmark, scored)
    assert get_benchmark(benchmark).modality == get_benchmark("llava_video").modality


def test_what_the_adapters_of_a_run_met() -> None:
    """Stage 3, stage 2, and stage 1 of each reference."""
    experiment = load({"scale": "0.5b", "benchmarks": ["scanqa", "music_avqa_original"]})
    both = ("scanqa", "sqa3d")
    assert training_sources(experiment, "lynx", "scanqa") == [("scanqa",), both, both]
    assert training_sources(experiment, "video-only", "scanqa") == [("scanqa",)]
    assert training_sources(experiment, "zero-shot", "scanqa") == []
    music = ("music_avqa",)
    assert training_sources(experiment, "lynx", "music_avqa_original") == [music] * 3
    heard = training_sources(experiment, "reference-audio", "scanqa")
    assert heard == [("scanqa",), both, ("avsd",), music, ("avqa",)]


def test_a_benchmark_of_its_own_training_is_as_before() -> None:
    experiment = load()
    assert experiment.trainer_of("scanqa") == "scanqa"
    assert experiment.splits_used("scanqa") == ("train", "test_w_obj")
    assert experiment.training_recipe("scanqa") == experiment.recipes["scanqa"]
    assert experiment.is_training("scanqa", "train")


@pytest.mark.parametrize("recipe", ["paper", "released"])
def test_all_share_one_adapter(recipe: str) -> None:
    experiment = fast(SCORED, recipe=recipe)
    ours = [slices.sft_slice(experiment, "lynx", name) for name in [*SCORED, "llava_video"]]
    assert all(found == ours[0] for found in ours)
    assert ours[0]["benchmark"] == "llava_video"
    for name in SCORED:
        assert slices.predict_slice(experiment, "lynx", name)["sft"] == ours[0]
        assert slices.predict_slice(experiment, "lynx", name)["benchmark"] == name
        assert slices.sft_slice(fast([name], recipe=recipe), "lynx", name) == ours[0]
    train = slices.features_slice(experiment, "llava_video", "train", "aligned")
    assert train["view"] == ours[0]["view"]
    assert train["benchmark"] == "llava_video"
    with pytest.raises(InputError) as caught:
        slices.features_slice(experiment, "mlvu", "train", "aligned")
    assert str(caught.value) == "split 'train' of mlvu has no features; expected one of dev"


def test_an_override_reaches_the_shared_training() -> None:
    chosen = {
        "sft.optimizer.epochs": 7,
        "evaluate.view.pool_x": True,
        "evaluate.differs_from_training.pool_x": "a test",
    }
    changed = fast(["mlvu"], overrides=chosen)
    assert changed.training_recipe("llava_video").sft.optimizer.epochs == 7
    assert changed.view_of("mlvu", "dev").pool_x
    assert not changed.view_of("llava_video", "train").pool_x


def test_rules_read_what_was_trained_on_the_other_benchmark() -> None:
    experiment = fast(["mvbench", "mlvu"])
    sft = manifest(LAYOUT.sft("lynx", "llava_video", 0))
    aligned = manifest(LAYOUT.features("llava_video", "train", "aligned", 0))
    assert sft in predict_inputs(experiment, "lynx", "mvbench")
    assert manifest(LAYOUT.features("mvbench", "test", "aligned", 0)) in predict_inputs(
        experiment, "lynx", "mvbench"
    )
    assert aligned in sft_inputs(experiment, "lynx", "llava_video")
    assert manifest(LAYOUT.data("llava_video")) in sft_inputs(experiment, "lynx", "llava_video")
    assert manifest(LAYOUT.align("fastvideo", 0)) in features_inputs(
        experiment, "llava_video", "aligned"
    )
    table = manifest(LAYOUT.data("llava_video"))
    assert frames_inputs(experiment, "fastvideo") == [table]
    assert frames_inputs(experiment, "mvbench") == [manifest(LAYOUT.data("mvbench"))]
    assert table in align_inputs(experiment, "fastvideo")
    assert manifest(LAYOUT.frames("fastvideo")) in features_inputs(
        experiment, "llava_video", "video"
    )
    assert manifest(LAYOUT.frames("mlvu")) in features_inputs(experiment, "mlvu", "video")


def test_scoring_one_benchmark_more_leaves_the_training_as_it_is() -> None:
    one, all_four = fast(["mlvu"]), fast(SCORED)
    for experiment in (one, all_four):
        assert experiment.framed("fastvideo") == ["llava_video"]
        assert experiment.framed("mlvu") == ["mlvu"]
        assert slices.frames_slice(experiment, "mlvu")["clips"] == ["mlvu"]
    for decides, name in (
        (slices.frames_slice, "fastvideo"),
        (slices.reference_slice, "fastvideo"),
        (slices.align_slice, "fastvideo"),
        (slices.data_slice, "llava_video"),
    ):
        assert decides(one, name) == decides(all_four, name)
    assert align_inputs(one, "fastvideo") == align_inputs(all_four, "fastvideo")
    assert sft_inputs(one, "lynx", "llava_video") == sft_inputs(all_four, "lynx", "llava_video")


def test_commands_name_what_they_train_or_encode() -> None:
    experiment = fast(["mlvu"])
    require_names(experiment, {"trainer": "llava_video"})
    for name in ("llava_video", "mlvu"):
        require_names(experiment, {"encoded": name})
    with pytest.raises(InputError) as caught:
        require_names(experiment, {"trainer": "mlvu"})
    assert str(caught.value) == "command line: unknown benchmark 'mlvu'; known: llava_video"


def test_an_inventory_of_a_training_set_takes_one_that_is_trained_on_it() -> None:
    assert configured_with(ROOT, "llava_video") == "mlvu"
    assert configured_with(ROOT, "avqa") == "avqa"
    assert configured_with(ROOT, "unheard_of") == "unheard_of"


def test_a_training_set_cannot_be_run() -> None:
    assert refusal(ROOT, "llava_video") == (
        "command line: key 'benchmarks' names 'llava_video', which has a training split only; "
        "choose among those that are trained on it: mlvu, mvbench, videomme, videomme_subtitles"
    )


@pytest.mark.parametrize(
    ("trainer", "rest"),
    [
        (
            "llava_vidio",
            ": unknown benchmark 'llava_vidio', did you mean 'llava_video'; known: "
            f"{listed('benchmarks')}",
        ),
        (
            "avqa",
            " names 'avqa' of group 'vggsound', expected one of 'fastvideo' because both share "
            "frames and alignment; correct either",
        ),
        (
            "videomme",
            " names 'videomme', which is trained on 'llava_video'; expected a benchmark with a "
            "training split of its own, so name that one, or leave the key out where the "
            "benchmark has one itself",
        ),
    ],
)
def test_whom_a_benchmark_may_be_trained_on(tmp_path: Path, trainer: str, rest: str) -> None:
    root = copy_config(tmp_path)
    name = "config/benchmarks/mlvu.yaml"
    replace(root, name, "trained_on: llava_video", f"trained_on: {trainer}")
    assert refusal(root, "scanqa") == f"{name}: key 'trained_on'{rest}"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "  llava_video:\n",
            "  mlvu:\n",
            "config/recipes/paper.yaml: key 'sft.mlvu' is for a benchmark that is trained on "
            "'llava_video' (config/benchmarks/mlvu.yaml, trained_on); write it as "
            "'sft.llava_video'",
        ),
        (
            "  mvbench: *fast",
            "  llava_video: *fast",
            "config/recipes/paper.yaml: key 'evaluate.llava_video' is for a benchmark that has a "
            "training split only; remove it",
        ),
        (
            "  mvbench: *fast_evaluation",
            "  # none",
            "config/recipes/paper.yaml: has no numbers for benchmark 'mvbench' at scale '0.5b', "
            "only for avqa, avsd, egoexo, mlvu, music_avqa, music_avqa_original, scanqa, "
            "sqa3d, videomme, videomme_subtitles; choose another recipe or add them",
        ),
        (
            "sources: [llava_video]  # instead",
            "sources: [videomme]  # instead",
            "config/recipes/paper.yaml: key 'reference.fastvideo.all.sources' names 'videomme', "
            "which has no training split; name 'llava_video', which it is trained on",
        ),
    ],
)
def test_where_a_recipe_holds_its_numbers(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    root = copy_config(tmp_path)
    replace(root, "config/recipes/paper.yaml", old, new)
    assert refusal(root, "mvbench") == sentence


def test_a_split_of_the_other_benchmark_is_not_scored() -> None:
    assert refusal(ROOT, "mlvu", overrides={"evaluate.split": "train"}) == (
        "command line: key 'overrides.evaluate.split' is 'train', which mlvu does not have; "
        "choose one of dev"
    )


def test_one_x_from_alignment_to_scoring() -> None:
    drawing = {"modality": "view", "cameras": "same", "count": 1}
    assert refusal(ROOT, "mlvu", overrides={"evaluate.view.drawing": drawing}) == (
        "config/recipes/paper.yaml (mlvu at 0.5b): evaluate.view.drawing.modality is 'view', "
        "expected 'fast' as in align.drawing; draw one X throughout"
    )
