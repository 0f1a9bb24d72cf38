"""Slips in the configuration and on the command line: one sentence, exit code 2, nothing run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import Outcome
from tests.project_copy import edit_yaml
from tests.unit.config_copy import listed, listed_variants

SFT = ("sft", "--variant", "lynx", "--benchmark", "scanqa")
CASES = {
    "mistyped key": (
        (*SFT, "--set", "seeed=1"),
        "command line: unknown key 'seeed'; did you mean 'seed'?",
    ),
    "mistyped recipe key": (
        (*SFT, "--set", "overrides={sft.optimizer.learning_rat: 1}"),
        "command line: unknown key 'overrides.sft.optimizer.learning_rat'; did you mean "
        "'learning_rate'?",
    ),
    "a recipe key within another": (
        (*SFT, "--set", "overrides={sft: 1, sft.lora.rank: 8}"),
        "command line: key 'overrides.sft' sets all of what 'overrides.sft.view.frames' sets a "
        "part of; keep one of them",
    ),
    "nothing, and a part of it": (
        (*SFT, "--set", "overrides={evaluate.view.drawing: null, "
         "evaluate.view.drawing.modality: depth}"),
        "command line: key 'overrides.evaluate.view.drawing' sets all of what "
        "'overrides.evaluate.view.drawing.modality' sets a part of; keep one of them",
    ),
    "no equals sign": (
        (*SFT, "--set", "seed"),
        "--set seed: no '=' found, expected key=value, e.g. seed=1",
    ),
    "no equals sign, doctor": (
        ("doctor", "--set", "seed"),
        "--set seed: no '=' found, expected key=value, e.g. seed=1",
    ),
    "unknown scale": (
        (*SFT, "--set", "scale=demmo"),
        f"command line: unknown scale 'demmo', did you mean 'demo'; known: {listed('scales')}",
    ),
    "unknown benchmark": (
        ("data", "--benchmark", "scanq"),
        "command line: unknown benchmark 'scanq', did you mean 'scanqa'; known: scanqa, sqa3d",
    ),
    "benchmark that is not configured": (
        ("data", "--benchmark", "sqa3d", "--set", "benchmarks=[scanqa]", "--set",
         "overrides={reference.sources: [scanqa], align.sources: [scanqa]}"),
        "command line: unknown benchmark 'sqa3d'; known: scanqa",
    ),
    "unknown variant": (
        ("sft", "--variant", "linx", "--benchmark", "scanqa"),
        f"command line: unknown variant 'linx', did you mean 'lynx'; known: {listed_variants()}",
    ),
    "unknown group": (
        ("frames", "--group", "2d"),
        "command line: unknown group '2d'; known: 3d",
    ),
    "unknown stream": (
        ("features", "--benchmark", "scanqa", "--split", "train", "--stream", "audio"),
        "--stream audio: no such stream, expected one of video, aligned, plain",
    ),
    "unknown split": (
        ("features", "--benchmark", "scanqa", "--split", "val", "--stream", "video"),
        "split 'val' of scanqa has no features; expected one of train, test_w_obj",
    ),
    "untrained variant": (
        ("sft", "--variant", "zero-shot", "--benchmark", "scanqa"),
        "variant 'zero-shot' is not trained; config/variants.yaml says sft: false",
    ),
    "training split": (
        ("predict", "--variant", "lynx", "--benchmark", "scanqa", "--set",
         "overrides={evaluate.split: train}"),
        "command line: key 'overrides.evaluate.split' is 'train', but evaluation refuses a "
        "training split; choose one of val, test_w_obj",
    ),
    "table before its metrics": (
        ("table", "scanqa"),
        "results/scanqa/metrics.json: no metrics yet; run `snakemake --profile local "
        "results/scanqa/metrics.json` first",
    ),
    "headline before its scores": (
        ("headline", "--benchmark", "scanqa"),
        "results/demo/lynx/scanqa/seed0/metrics.json: no metrics of this run; run the score rule "
        "of lynx on scanqa first",
    ),
}  # fmt: skip


def snapshot(root: Path) -> dict[str, int]:
    """Every file with its time of change: what a refused command must not touch."""
    files = (path for name in ("runs", "work", "results") for path in (root / name).rglob("*"))
    return {str(path): path.stat().st_mtime_ns for path in files if path.is_file()}


@pytest.mark.parametrize("case", CASES)
def test_one_sentence(root: Path, lynx: Callable[..., Outcome], case: str) -> None:
    arguments, sentence = CASES[case]
    before = snapshot(root)
    outcome = lynx(*arguments)
    assert (outcome.said, outcome.code) == (f"lynx: {sentence}", 2)
    assert "Traceback" not in outcome.err
    assert snapshot(root) == before


def test_an_unknown_alignment(root: Path, lynx: Callable[..., Outcome]) -> None:
    """Every variant with an alignment of its own is listed, whichever variants there are."""
    before = snapshot(root)
    outcome = lynx("align", "--name", "scanqa")
    start, _, names = outcome.said.partition("; known: ")
    assert (start, outcome.code) == ("lynx: command line: unknown alignment 'scanqa'", 2)
    known = names.split(", ")
    assert known == sorted(known)
    own = ("no-attention", "no-moments", "rank-16", "rank-32", "rank-64", "rank-8")
    assert {"3d", *(f"3d-{name}" for name in own)} <= set(known)
    assert not {"3d-lynx", "3d-video-only", "3d-no-align", "3d-reference-3d"} & set(known)
    assert snapshot(root) == before


def test_a_mistyped_key_in_the_file(root: Path, lynx: Callable[..., Outcome]) -> None:
    edit_yaml(root / "config/config.yaml", {"scael": "demo"})
    outcome = lynx("base")
    assert (outcome.said, outcome.code) == (
        "lynx: config/config.yaml: unknown key 'scael'; did you mean 'scale'?",
        2,
    )
