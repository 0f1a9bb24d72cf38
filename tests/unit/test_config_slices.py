"""Slices change with what decides their artefact, and with nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynx.artifacts.hashing import hash_data
from lynx.config import slices
from lynx.config.decided import decided, place_of
from lynx.config.experiment import Experiment
from lynx.errors import InputError
from tests.unit.config_copy import copy_config, load, replace

TRAINED = ("lynx", "plain-tower", "video-only")


def all_slices(experiment: Experiment) -> dict[str, slices.Slice]:
    """Every slice of an experiment, by stage and names."""
    found = {
        "frames/3d": slices.frames_slice(experiment, "3d"),
        "reference/3d": slices.reference_slice(experiment, "3d"),
    }
    for name in set(experiment.align_names.values()):
        found[f"align/{name}"] = slices.align_slice(experiment, name)
    for benchmark in experiment.recipes:
        train, scored = experiment.splits_used(benchmark)
        found[f"data/{benchmark}"] = slices.data_slice(experiment, benchmark)
        streams: tuple[slices.Stream, ...] = ("video", "aligned", "plain")
        for use, split in {"train": train, "scored": scored}.items():
            for stream in streams:
                found[f"features/{benchmark}/{use}/{stream}"] = slices.features_slice(
                    experiment, benchmark, split, stream
                )
        for variant in (*TRAINED, "zero-shot"):
            found[f"predict/{benchmark}/{variant}"] = slices.predict_slice(
                experiment, variant, benchmark
            )
        for variant in TRAINED:
            found[f"sft/{benchmark}/{variant}"] = slices.sft_slice(experiment, variant, benchmark)
    return found


def changed_by(overrides: dict[str, Any], **main: Any) -> set[str]:
    """Stages whose slices differ, by the first part of their names."""
    return {name.split("/")[0] for name in changed_names(overrides, **main)}


def changed_names(overrides: dict[str, Any], **main: Any) -> set[str]:
    before, after = all_slices(load()), all_slices(load({"overrides": overrides, **main}))
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


HASH = "45584828a616e524473fb887d415f828918fb9676efdaa57c062231771111499"


@pytest.mark.parametrize(
    ("overrides", "stages"),
    [
        ({"sft.optimizer.learning_rate": 5e-4}, {"sft", "predict"}),
        ({"sft.optimizer.micro_batch": 22}, {"sft", "predict"}),
        ({"sft.questions_per_clip": 2}, {"sft", "predict"}),
        ({"align.optimizer.learning_rate": 5e-4}, {"align"}),
        ({"align.sources": ["scanqa"]}, {"align"}),
        ({"reference.max_clips": 7}, {"reference"}),
        ({"evaluate.max_new_tokens": 9}, {"predict"}),
        ({"evaluate.questions_per_batch": 9}, {"predict"}),
        ({"evaluate.split": "val"}, {"data", "features", "predict"}),
        ({"frames.per_scene": 9}, {"frames", "reference", "align", "features"}),
        (
            {"evaluate.view.frames": 5, "sft.view.frames": 5},
            {"features", "sft", "predict"},
        ),
    ],
)
def test_a_recipe_key_changes_exactly(overrides: dict[str, Any], stages: set[str]) -> None:
    assert changed_by(overrides) == stages


def test_seed_changes_what_is_drawn_at_random() -> None:
    names = changed_names({}, seed=1)
    assert {name.split("/")[0] for name in names} == {"align", "sft", "predict"}
    assert "predict/scanqa/zero-shot" not in names


def test_training_does_not_touch_the_untrained_variant() -> None:
    names = changed_names({"sft.optimizer.learning_rate": 5e-4})
    assert "predict/scanqa/zero-shot" not in names
    assert {f"predict/scanqa/{variant}" for variant in TRAINED} <= names


def test_drawing_does_not_touch_what_has_no_x() -> None:
    keys = ("align.drawing", "sft.view.drawing", "evaluate.view.drawing")
    names = changed_names({f"{key}.clip_mm": [200, 4000] for key in keys})
    assert names == {
        "align/3d",
        *(
            f"features/{benchmark}/{use}/{stream}"
            for benchmark in ("scanqa", "sqa3d")
            for use in ("train", "scored")
            for stream in ("aligned", "plain")
        ),
        *(
            f"{stage}/{benchmark}/{variant}"
            for stage in ("sft", "predict")
            for benchmark in ("scanqa", "sqa3d")
            for variant in ("lynx", "plain-tower")
        ),
    }


def test_reasons_and_what_is_shown_change_nothing() -> None:
    assert changed_names({}, compare_with=["zero-shot"]) == set()
    released = {"scale": "0.5b", "recipe": "released"}
    reworded = {"evaluate.differs_from_training.frames": "because"}
    before = all_slices(load(released))
    assert before == all_slices(load({**released, "overrides": reworded}))


def test_the_site_changes_nothing(tmp_path: Path) -> None:
    before = all_slices(load())
    root = copy_config(tmp_path)
    replace(root, "config/site.yaml", "threads: 1", "threads: 13")
    replace(root, "config/site.yaml", "workers: 2", "workers: 5")
    replace(root, "config/site.yaml", "feature_disk_gb: 100", "feature_disk_gb: 0")
    replace(root, "config/site.yaml", "models: models", "models: /else/where")
    replace(root, "config/site.yaml", "device: auto", "device: cpu\nslurm: {partition: else}")
    changed = load(root=root)
    assert changed.site.threads == 13
    assert all_slices(changed) == before


def test_the_world_decides_data_and_frames(tmp_path: Path) -> None:
    root = copy_config(tmp_path)
    replace(root, "config/scales/demo.yaml", "seed: 7", "seed: 8")
    before, after = all_slices(load()), all_slices(load(root=root))
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"frames/3d", "data/scanqa", "data/sqa3d"}


def test_features_of_each_split_have_its_own_view() -> None:
    experiment = load({"scale": "0.5b", "recipe": "released"})
    train = slices.features_slice(experiment, "scanqa", "train", "video")
    scored = slices.features_slice(experiment, "scanqa", "val", "video")
    assert train["view"] == {"frames": 20, "sampling": "pose"}
    assert scored["view"] == {"frames": 32, "sampling": "pose"}
    assert set(scored["frames"]) == {"media", "per_scene", "size"}
    assert scored["model"]["dtype"] == "bfloat16"
    aligned = slices.features_slice(experiment, "scanqa", "val", "aligned")
    plain = slices.features_slice(experiment, "scanqa", "val", "plain")
    assert aligned["view"]["drawing"]["normals_frame"] == "world"
    assert aligned != plain
    assert "align" not in aligned


def test_a_shared_alignment_does_not_depend_on_which_benchmarks_run() -> None:
    both, alone = load({"scale": "0.5b"}), load({"scale": "0.5b", "benchmarks": ["sqa3d"]})
    assert slices.align_slice(both, "3d") == slices.align_slice(alone, "3d")
    assert slices.reference_slice(both, "3d") == slices.reference_slice(alone, "3d")


def takes(scale: str, recipe: str, **overrides: int) -> tuple[int, slices.Slice]:
    """How many views frames of Ego-Exo4D look at, and their slice; `count` of a stage overridden.

    The stages that differ from alignment give a reason for it.
    """
    keys = {
        "align": "align.drawing",
        "sft": "sft.view.drawing",
        "evaluate": "evaluate.view.drawing",
    }
    chosen: dict[str, object] = {f"{keys[n]}.count": count for n, count in overrides.items()}
    if "sft" in overrides:
        chosen["sft.differs_from_alignment.count"] = "another camera is shown"
        chosen["evaluate.view.drawing.count"] = overrides["sft"]
    if "evaluate" in overrides:
        chosen["evaluate.differs_from_training"] = {"drawing.count": "another camera is shown"}
    experiment = load(
        {"scale": scale, "recipe": recipe, "benchmarks": ["egoexo"], "overrides": chosen}
    )
    return experiment.other_views("egoexo4d"), slices.frames_slice(experiment, "egoexo4d")


def test_frames_look_at_the_views_that_some_stage_draws_from() -> None:
    shown, one = takes("0.5b", "paper")
    assert (shown, one["other_views"]) == (1, 1)
    for overrides in ({"sft": 2}, {"evaluate": 2}):
        shown, two = takes("0.5b", "paper", **overrides)
        assert (shown, two) == (2, {**one, "other_views": 2})


@pytest.mark.parametrize("scale", ["demo", "0.5b", "7b"])
def test_frames_of_what_no_other_view_is_drawn_from_name_none(scale: str) -> None:
    names = ["scanqa", "sqa3d", "avqa", "music_avqa", "avsd", "egoexo", "videomme", "mlvu"]
    experiment = load({"scale": scale, "benchmarks": names})
    for frames in {experiment.frames_of(name) for name in experiment.benchmarks}:
        found = slices.frames_slice(experiment, frames)
        assert found.get("other_views") == (1 if frames == "egoexo4d" else None)
    if scale != "demo":
        shown, same = takes(scale, "released")  # the very clip again
        assert (shown, "other_views" in same) == (0, False)


def test_a_pooled_group_looks_at_the_views_of_its_own_runs() -> None:
    pulled = load({"scale": "0.5b"})
    own = load({"scale": "0.5b", "benchmarks": ["egoexo"]})
    assert "egoexo4d" in pulled.pooled
    assert slices.frames_slice(pulled, "egoexo4d") == slices.frames_slice(own, "egoexo4d")


def test_verification_compares_with_the_same_slice() -> None:
    experiment = load({"benchmarks": ["egoexo"]})
    place = place_of(Path("runs/demo/frames/egoexo4d"))
    assert place is not None
    found = decided(experiment, place)
    assert found == slices.frames_slice(experiment, "egoexo4d")
    assert found["other_views"] == 1


def test_refusals() -> None:
    experiment = load()
    with pytest.raises(InputError) as caught:
        slices.features_slice(experiment, "sqa3d", "val", "video")
    assert str(caught.value) == (
        "split 'val' of sqa3d has no features; expected one of train, test"
    )
    with pytest.raises(InputError) as caught:
        slices.sft_slice(experiment, "zero-shot", "sqa3d")
    assert str(caught.value) == (
        "variant 'zero-shot' is not trained; config/variants.yaml says sft: false"
    )


@pytest.mark.parametrize("scale", ["demo", "0.5b", "7b"])
def test_slices_are_plain_json(scale: str) -> None:
    for data in all_slices(load({"scale": scale})).values():
        assert json.loads(json.dumps(data)) == data


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), PLAIN))
def test_hash_does_not_depend_on_key_order(data: dict[str, Any]) -> None:
    reversed_order = dict(reversed(list(data.items())))
    assert hash_data(data) == hash_data(reversed_order)
    assert hash_data(json.loads(json.dumps(data))) == hash_data(data)


def test_hash_is_sha256_of_canonical_json() -> None:
    # printf %s '{"a":[1,2.5,null],"b":"\u00e9"}' | sha256sum
    assert hash_data({"b": "é", "a": [1, 2.5, None]}) == HASH
    with pytest.raises(ValueError, match="Out of range float"):
        hash_data({"a": float("nan")})
