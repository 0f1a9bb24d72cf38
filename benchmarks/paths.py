"""The measures by name: the paths of each, plain first, and the check that results are equal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks import fast
from benchmarks.plain import align as plain_align
from benchmarks.plain import encode as plain_encode
from benchmarks.plain import language as plain_language
from benchmarks.workbench import Workbench

PLAIN = "plain"
TOKENS, LOSSES = 1e-4, 1e-4
Opener = Callable[[Workbench], Callable[[], object]]


@dataclass(frozen=True)
class Measure:
    """One row of work: its unit, how many units a run is, its paths, and how far results differ."""

    unit: str
    units: Callable[[Workbench], int]
    paths: dict[str, Opener]
    difference: Callable[[object, object], float]
    tolerance: float


def token_difference(plain: object, other: object) -> float:
    """The largest absolute difference of two lists of streams, relative to their scale."""
    assert isinstance(plain, list)
    assert isinstance(other, list)
    scale = max(float(tokens.std()) for tokens in plain)
    pairs = zip(plain, other, strict=True)
    return max(float((one - two).abs().max()) for one, two in pairs) / scale


def loss_difference(plain: object, other: object) -> float:
    """The largest absolute difference of two lists of step losses."""
    assert isinstance(plain, list)
    assert isinstance(other, list)
    pairs = zip(plain, other, strict=True)
    return max(abs(float(one) - float(two)) for one, two in pairs)


def answer_difference(plain: object, other: object) -> float:
    """The number of questions that two paths answer differently."""
    assert isinstance(plain, dict)
    assert isinstance(other, dict)
    return float(sum(plain[key] != other.get(key) for key in plain) + len(other) - len(plain))


def _tokens(bench: Workbench) -> int:
    return sum(tokens.shape[0] for tokens in fast.features(bench)())


def _align_items(bench: Workbench) -> int:
    return len(bench.align_items)


def _samples(bench: Workbench) -> int:
    return len(bench.samples)


MEASURES: dict[str, Measure] = {
    "features": Measure(
        "tokens",
        _tokens,
        {PLAIN: plain_encode.features, "chunked": fast.features},
        token_difference,
        TOKENS,
    ),
    "align": Measure(
        "samples",
        _align_items,
        {PLAIN: plain_align.align, "one pass": fast.align},
        loss_difference,
        LOSSES,
    ),
    "sft": Measure(
        "samples",
        _samples,
        {PLAIN: plain_language.sft, "stored": fast.sft, "encoded first": fast.sft_and_encoding},
        loss_difference,
        LOSSES,
    ),
    "predict": Measure(
        "questions",
        _samples,
        {PLAIN: plain_language.predict, "shared prefix": fast.predict},
        answer_difference,
        0.0,
    ),
}


def open_paths(measure: Measure, bench: Workbench) -> dict[str, Callable[[], object]]:
    """Open every path of a measure."""
    torch.manual_seed(0)
    return {name: open_path(bench) for name, open_path in measure.paths.items()}


def differences(measure: Measure, opened: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Run every path once and compare with the plain one.

    Raises ValueError if a path differs by more than the measure's tolerance: its time would say
    nothing.
    """
    results = {name: run() for name, run in opened.items()}
    found = {
        name: measure.difference(results[PLAIN], result)
        for name, result in results.items()
        if name != PLAIN
    }
    for name, value in found.items():
        if not value <= measure.tolerance:
            raise ValueError(
                f"{name}: differs from the plain path by {value:.3g}, expected at most "
                f"{measure.tolerance:.3g}; nothing was timed"
            )
    return found
