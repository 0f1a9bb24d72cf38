"""Wrong configuration gets one exact sentence."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from lynx.config.loading import load_experiment
from lynx.errors import InputError
from lynx.modalities import modality_names
from tests.unit.config_copy import (
    MAIN,
    copy_config,
    listed,
    listed_groups,
    listed_variants,
    load,
    replace,
)

DEMO = "config/recipes/demo.yaml"
BENCHMARKS, RECIPES, SCALES = map(listed, ("benchmarks", "recipes", "scales"))
GROUPS, VARIANTS, MODALITIES = listed_groups(), listed_variants(), ", ".join(modality_names())


def sentence(root: Path, overrides: Mapping[str, object] | None = None) -> str:
    with pytest.raises(InputError) as caught:
        load(overrides, root)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_config(tmp_path)


CASES = {
    "mistyped key": (
        "config/config.yaml",
        "seed: 0",
        "sede: 0",
        "config/config.yaml: unknown key 'sede'; did you mean 'seed'? (and 1 more fault)",
    ),
    "unknown key": (
        "config/config.yaml",
        "seed: 0",
        "seed: 0\nverbosity: 3",
        "config/config.yaml: unknown key 'verbosity'; known keys are benchmarks, compare_with, "
        "overrides, recipe, scale, seed, seeds",
    ),
    "mistyped nested key": (
        "config/scales/demo.yaml",
        "    frames_per_scene: 10",
        "    frames_per_scene: 10\n    test_scene: 4",
        "config/scales/demo.yaml: unknown key 'worlds.rooms.test_scene'; did you mean "
        "'test_scenes'?",
    ),
    "mistyped recipe key": (
        DEMO,
        "      query_stride: 2",
        "      query_stride: 2\n      atention_weight: 2.0",
        "config/recipes/demo.yaml: unknown key 'align.3d.demo.atention_weight'; "
        "did you mean 'attention_weight'?",
    ),
    "missing recipe key": (
        DEMO,
        "      query_stride: 2\n",
        "",
        "config/recipes/demo.yaml: key 'align.3d.demo.query_stride' is missing; "
        "expected a whole number above 0",
    ),
    "unknown group": (
        DEMO,
        "frames:\n  3d:",
        "frames:\n  4d:",
        f"config/recipes/demo.yaml: frames: unknown group '4d'; known: {GROUPS}",
    ),
    "unknown section": (
        DEMO,
        "reference:\n",
        "refrence:\n",
        "config/recipes/demo.yaml: unknown key 'refrence'; did you mean 'reference'? "
        "(and 1 more fault)",
    ),
    "unknown benchmark in a recipe": (
        DEMO,
        "  sqa3d:\n    demo:\n      <<: *sft",
        "  sqa4d:\n    demo:\n      <<: *sft",
        "config/recipes/demo.yaml: sft: unknown benchmark 'sqa4d', did you mean 'sqa3d'; "
        f"known: {BENCHMARKS}",
    ),
    "unknown scale in a recipe": (
        DEMO,
        "    demo:\n      <<: *sft",
        "    13b:\n      <<: *sft",
        "config/recipes/demo.yaml: sft.sqa3d: unknown scale '13b'; known: "
        f"{', '.join(sorted([*SCALES.split(', '), 'all']))}",
    ),
    "text for a number": (
        "config/config.yaml",
        "seed: 0",
        "seed: zero",
        "config/config.yaml: key 'seed' is 'zero', expected a whole number of at least 0",
    ),
    "a number in quotes": (
        "config/config.yaml",
        "seed: 0",
        'seed: "3"',
        "config/config.yaml: key 'seed' is '3', expected a whole number of at least 0",
    ),
    "truth value for a number": (
        DEMO,
        "size: 56",
        "size: yes",
        "config/recipes/demo.yaml: key 'frames.3d.demo.size' is true, "
        "expected a whole number above 0",
    ),
    "infinite rate": (
        DEMO,
        "learning_rate: 2e-5",
        "learning_rate: .inf",
        "config/recipes/demo.yaml: key 'align.vggsound.demo.optimizer.learning_rate' is Infinity, "
        "expected a number above 0",
    ),
    "wrong word": (
        "config/scales/demo.yaml",
        "dtype: float32",
        "dtype: float16",
        "config/scales/demo.yaml: key 'dtype' is 'float16', expected one of float32, bfloat16",
    ),
    "wrong length of a pair": (
        DEMO,
        "clip_mm: [200, 10000]",
        "clip_mm: [200]",
        "config/recipes/demo.yaml: key 'align.3d.demo.drawing.clip_mm.1' is missing; "
        "expected a whole number above 0 (and 2 more faults)",
    ),
    "reversed pair": (
        DEMO,
        "clip_mm: [200, 10000]",
        "clip_mm: [10000, 200]",
        "config/recipes/demo.yaml: at 'align.3d.demo.drawing', clip_mm [10000, 200] is not a "
        "range [near, far] in mm (and 2 more faults)",
    ),
    "unknown modality": (
        DEMO,
        "        modality: depth",
        "        modality: dept",
        "config/recipes/demo.yaml: key 'align.3d.demo.drawing.modality' is 'dept', expected one of "
        f"{MODALITIES} (and 2 more faults)",
    ),
    "no modality": (
        DEMO,
        "        modality: depth\n",
        "",
        "config/recipes/demo.yaml: key 'align.3d.demo.drawing.modality' is missing; expected one "
        f"of {MODALITIES} (and 2 more faults)",
    ),
    "a key of another modality": (
        DEMO,
        "        normals_frame: camera",
        "        normals_frame: camera\n        stride: 1.0",
        "config/recipes/demo.yaml: unknown key 'align.3d.demo.drawing.stride'; known keys are "
        "clip_mm, encoding, modality, normals_frame (and 2 more faults)",
    ),
    "unknown media": (
        DEMO,
        "      media: rgbd",
        "      media: film",
        "config/recipes/demo.yaml: key 'frames.3d.demo.media' is 'film', expected one of rgbd, "
        "video",
    ),
    "a fraction for a whole number": (
        "config/scales/demo.yaml",
        "  seed: 7\n",
        "  seed: 7.5\n",
        "config/scales/demo.yaml: key 'worlds.rooms.seed' is 7.5, expected a whole number of at "
        "least 0",
    ),
    "batch": (
        DEMO,
        "        epochs: 3\n        batch: 44",
        "        epochs: 3\n        batch: 55",
        "config/recipes/demo.yaml: at 'sft.music_avqa.demo.optimizer', batch 55 is not a "
        "multiple of micro_batch 44; choose a micro_batch that divides it",
    ),
    "questions per clip": (
        DEMO,
        "questions_per_clip: 11",
        "questions_per_clip: 5",
        "config/recipes/demo.yaml: at 'sft.scanqa.demo', optimizer.micro_batch 44 is not a "
        "multiple of questions_per_clip 5; choose one that divides it",
    ),
    "pairs of single images": (
        DEMO,
        "encoding: turbo+normals",
        "encoding: turbo",
        "config/recipes/demo.yaml: at 'sft.scanqa.demo.view', merge_pairs needs two images of "
        "each time step, which this depth drawing does not give; set it to false or draw pairs "
        "(and 1 more fault)",
    ),
    "more frames than a scene has": (
        DEMO,
        "per_scene: 8",
        "per_scene: 3",
        "config/recipes/demo.yaml (scanqa at demo): reference.frames_per_clip 4 is more than "
        "frames.per_scene 3, so frames would be repeated; lower it",
    ),
    "more frames than the world renders": (
        DEMO,
        "per_scene: 8",
        "per_scene: 12",
        "config/recipes/demo.yaml: key 'frames.3d.demo.per_scene' is 12, but a scene of the "
        "rendered world has 10 frames (config/scales/demo.yaml, worlds.rooms.frames_per_scene); "
        "lower one or raise the other",
    ),
    "lengths": (
        DEMO,
        "min_new_tokens: 1",
        "min_new_tokens: 13",
        "config/recipes/demo.yaml: at 'evaluate.avqa.demo', min_new_tokens 13 is more than "
        "max_new_tokens 12; lower it",
    ),
    "scored on the training split": (
        DEMO,
        "split: test_w_obj",
        "split: train",
        "config/recipes/demo.yaml: key 'evaluate.scanqa.demo.split' is 'train', but evaluation "
        "refuses a training split; choose one of val, test_w_obj",
    ),
    "scored on no split": (
        DEMO,
        "split: test_w_obj",
        "split: tset",
        "config/recipes/demo.yaml: key 'evaluate.scanqa.demo.split' is 'tset', which scanqa does "
        "not have; choose one of val, test_w_obj",
    ),
    "unknown source": (
        DEMO,
        "sources: [scanqa, sqa3d]\n      drawing",
        "sources: [scannet]\n      drawing",
        "config/recipes/demo.yaml: align.3d.demo.sources: unknown benchmark 'scannet', did you "
        f"mean 'scanqa'; known: {BENCHMARKS}",
    ),
    "group without entries": (
        "config/benchmarks/sqa3d.yaml",
        "group: 3d",
        "group: other",
        "config/recipes/demo.yaml: key 'frames.other.demo' is missing; expected a mapping "
        "(and 2 more faults)",
    ),
    "no list": (
        "config/config.yaml",
        "[scanqa, sqa3d]",
        "scanqa",
        "config/config.yaml: key 'benchmarks' is 'scanqa', expected a list of at least 1",
    ),
    "empty list": (
        "config/config.yaml",
        "[scanqa, sqa3d]",
        "[]",
        "config/config.yaml: key 'benchmarks' is [], expected a list of at least 1",
    ),
    "same benchmark twice": (
        "config/config.yaml",
        "[scanqa, sqa3d]",
        "[scanqa, scanqa]",
        "config/config.yaml: key 'benchmarks' lists 'scanqa' twice; keep one",
    ),
    "unknown benchmark": (
        "config/config.yaml",
        "[scanqa, sqa3d]",
        "[scanqa, sqa]",
        f"config/config.yaml: unknown benchmark 'sqa', did you mean 'sqa3d'; known: {BENCHMARKS}",
    ),
    "unknown scale": (
        "config/config.yaml",
        "scale: demo",
        "scale: 1b",
        f"config/config.yaml: unknown scale '1b'; known: {SCALES}",
    ),
    "scale outside its folder": (
        "config/config.yaml",
        "scale: demo",
        "scale: ../scales/demo",
        f"config/config.yaml: unknown scale '../scales/demo'; known: {SCALES}",
    ),
    "unknown recipe": (
        "config/config.yaml",
        "recipe: null",
        "recipe: papers",
        f"config/config.yaml: unknown recipe 'papers', did you mean 'paper'; known: {RECIPES}",
    ),
    "unknown variant": (
        "config/config.yaml",
        "compare_with: null",
        "compare_with: [videoonly]",
        "config/config.yaml: unknown variant 'videoonly', did you mean 'video-only'; "
        f"known: {VARIANTS}",
    ),
    "recipe of another scale": (
        "config/config.yaml",
        "recipe: null",
        "recipe: released",
        "config/recipes/released.yaml: has no numbers for scale 'demo', only for 0.5b, 7b; "
        "choose another recipe or add them",
    ),
    "scored on other frames": (
        "config/config.yaml",
        "overrides: {}",
        "overrides: {evaluate.view.frames: 6}",
        "config/recipes/demo.yaml (scanqa at demo): evaluate.view.frames differs from "
        "sft.view.frames; make them equal or name it with a reason under "
        "evaluate.differs_from_training",
    ),
    "drawn otherwise than aligned": (
        "config/config.yaml",
        "overrides: {}",
        "overrides: {align.drawing.clip_mm: [200, 4000]}",
        "config/recipes/demo.yaml (scanqa at demo): sft.view.drawing.clip_mm differs from "
        "align.drawing.clip_mm; make them equal or name it with a reason under "
        "sft.differs_from_alignment",
    ),
    "equal, yet named": (
        DEMO,
        "differs_from_training: {}",
        "differs_from_training: {frames: more is better}",
        "config/recipes/demo.yaml (avqa at demo): evaluate.differs_from_training names "
        "'frames', but evaluate.view.frames equals sft.view.frames; remove it",
    ),
    "no key of a view": (
        DEMO,
        "differs_from_training: {}",
        "differs_from_training: {frame: more is better}",
        "config/recipes/demo.yaml (avqa at demo): evaluate.differs_from_training names "
        "'frame', expected one of drawing.form, drawing.modality, drawing.placement, "
        "drawing.stride, frames, merge_pairs, pool_x, sampling",
    ),
    "unknown override": (
        "config/config.yaml",
        "overrides: {}",
        "overrides: {sft.optimizer.epoch: 1}",
        "config/config.yaml: unknown key 'overrides.sft.optimizer.epoch'; did you mean 'epochs'?",
    ),
    "override below a value": (
        "config/config.yaml",
        "overrides: {}",
        "overrides: {sft.lora.rank.r: 1}",
        "config/config.yaml: key 'overrides.sft.lora.rank.r' goes on below 'rank', which is a "
        "plain value; remove '.r'",
    ),
    "override of a wrong kind": (
        "config/config.yaml",
        "overrides: {}",
        "overrides: {sft.optimizer.epochs: many}",
        "config/config.yaml: key 'overrides.sft.optimizer.epochs' is 'many', "
        "expected a number above 0",
    ),
    "override to the training split": (
        "config/config.yaml",
        "overrides: {}",
        "overrides: {evaluate.split: train}",
        "config/config.yaml: key 'overrides.evaluate.split' is 'train', but evaluation refuses a "
        "training split; choose one of val, test_w_obj",
    ),
    "duplicate key": (
        "config/config.yaml",
        "seed: 0",
        "scale: 7b",
        "config/config.yaml, line 6: key 'scale' stands twice in one mapping, keep one of them",
    ),
    "key that is no text": (
        "config/variants.yaml",
        "zero-shot:",
        "0:",
        "config/variants.yaml, line 19: key 0 is not text, put it in quotes",
    ),
    "syntax": (
        "config/config.yaml",
        "[scanqa, sqa3d]",
        "[scanqa, sqa3d",
        "config/config.yaml, line 9: did not find expected ',' or ']'",
    ),
    "unknown recipe of a scale": (
        "config/scales/demo.yaml",
        "recipe: demo",
        "recipe: dmo",
        f"config/scales/demo.yaml: unknown recipe 'dmo', did you mean 'demo'; known: {RECIPES}",
    ),
    "unknown variant of a scale": (
        "config/scales/demo.yaml",
        "[video-only, zero-shot]",
        "[video-onyl, zero-shot]",
        "config/scales/demo.yaml: unknown variant 'video-onyl', did you mean 'video-only'; "
        f"known: {VARIANTS}",
    ),
    "unknown variant of a scale's tables over seeds": (
        "config/scales/demo.yaml",
        "[plain-tower]",
        "[plain-twr]",
        "config/scales/demo.yaml: unknown variant 'plain-twr', did you mean 'plain-tower'; "
        f"known: {VARIANTS}",
    ),
    "no main variant": (
        "config/variants.yaml",
        "lynx:",
        "linx:",
        "config/variants.yaml: has no variant 'lynx', which every result starts from; add it",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_exact_sentence(root: Path, case: str) -> None:
    name, old, new, expected = CASES[case]
    replace(root, name, old, new)
    assert sentence(root) == expected


def test_site_must_name_the_raw_data(root: Path) -> None:
    replace(root, "config/site.yaml", "  sqa3d: data/sqa3d\n", "")
    assert "sqa3d" not in load(root=root).site.data  # the demo renders its own
    assert sentence(root, {"scale": "7b"}) == (
        "config/site.yaml: key 'data.sqa3d' is missing, but config/benchmarks/sqa3d.yaml takes its "
        "annotations from there; add the folder"
    )


def test_a_recipe_is_complete_at_every_scale_that_it_names(root: Path) -> None:
    name = "config/recipes/released.yaml"
    replace(root, name, "      steps_per_item: 2", "      steps_per_items: 2")
    assert sentence(root, {"scale": "0.5b", "recipe": "released"}) == (
        "config/recipes/released.yaml: unknown key 'align.sqa3d.7b.steps_per_items'; "
        "did you mean 'steps_per_item'?"
    )


def test_a_key_missing_for_one_benchmark_is_named_in_its_own_entry(root: Path) -> None:
    name = "config/recipes/released.yaml"
    text = "      clip_mm: [200, 4000]  # 7.2 row"
    replace(root, name, "    " + text, "          # clip_mm: [200, 4000]  # 7.2 row")
    assert sentence(root, {"scale": "0.5b", "recipe": "released"}) == (
        "config/recipes/released.yaml: key 'sft.scanqa.0.5b.view.drawing.clip_mm' is missing; "
        "expected a list of 2 values"
    )


def test_a_benchmark_that_the_recipe_lacks(root: Path) -> None:
    extra = root / "config/benchmarks/beacon.yaml"
    extra.write_text((root / "config/benchmarks/sqa3d.yaml").read_text(encoding="utf-8"))
    recipe = yaml.safe_load((root / DEMO).read_text(encoding="utf-8"))
    assert sentence(root, {"benchmarks": ["beacon"]}) == (
        "config/recipes/demo.yaml: has no numbers for benchmark 'beacon' at scale 'demo', only for "
        f"{', '.join(sorted(recipe['evaluate']))}; choose another recipe or add them"
    )


def test_a_source_of_another_group(root: Path) -> None:
    extra = root / "config/benchmarks/beacon.yaml"
    text = (root / "config/benchmarks/sqa3d.yaml").read_text(encoding="utf-8")
    extra.write_text(text.replace("group: 3d", "group: other"), encoding="utf-8")
    assert sentence(root, {"overrides": {"reference.sources": ["beacon"]}}) == (
        "command line: key 'overrides.reference.sources' names 'beacon' of group 'other', "
        "expected benchmarks of '3d'"
    )


def test_a_group_named_like_a_benchmark(root: Path) -> None:
    for name in ("scanqa", "sqa3d"):
        replace(root, f"config/benchmarks/{name}.yaml", "group: 3d", "group: scanqa")
    text = (root / DEMO).read_text(encoding="utf-8")
    (root / DEMO).write_text(text.replace("  3d:", "  scanqa:"), encoding="utf-8")
    assert sentence(root) == (
        "config/benchmarks/scanqa.yaml: group 'scanqa' is also the name of a benchmark; "
        "rename the group"
    )


def test_command_line_is_named(root: Path) -> None:
    assert sentence(root, {"scael": "7b"}) == (
        "command line: unknown key 'scael'; did you mean 'scale'?"
    )
    assert sentence(root, {"seed": "one"}) == (
        "command line: key 'seed' is 'one', expected a whole number of at least 0"
    )
    assert sentence(root, {"scale": "13b"}) == (
        f"command line: unknown scale '13b'; known: {SCALES}"
    )
    assert sentence(root, {"overrides": "{sft.lora.rnk: 1"}) == (
        "command line, overrides: did not find expected ',' or '}'"
    )


def test_files_that_are_no_mapping(root: Path) -> None:
    path = root / MAIN
    path.write_text("- scale\n", encoding="utf-8")
    assert sentence(root) == (
        "config/config.yaml: holds a list, expected a mapping of keys to values"
    )
    path.write_text("# nothing\n", encoding="utf-8")
    assert sentence(root) == (
        "config/config.yaml: holds nothing, expected a mapping of keys to values"
    )
    path.write_bytes(b"scale: \xff\n")
    assert sentence(root).startswith("config/config.yaml: not readable as a UTF-8 text file (")
    path.unlink()
    assert sentence(root) == "config/config.yaml: no such file; expected a YAML file there"
    shutil.rmtree(root / "config")
    assert sentence(root) == (
        f"{root}: found no folder config in it, expected the project's folder; start in it, or "
        "name it with --root"
    )


def test_a_fault_in_an_overlay_names_the_overlay(root: Path) -> None:
    (root / "mine.yaml").write_text("seed: -1\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_experiment([MAIN, Path("mine.yaml")], {}, root)
    assert str(caught.value) == (
        "mine.yaml: key 'seed' is -1, expected a whole number of at least 0"
    )
