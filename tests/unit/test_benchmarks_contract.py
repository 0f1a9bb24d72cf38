"""What every registered benchmark promises, and its numbers on one fixture worked out by hand.

A new benchmark adds its case to ``CASES``; the first test fails until it does.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lynx.benchmarks import Benchmark, benchmark_names, get_benchmark, register
from lynx.benchmarks.sample import Sample, read_samples, write_samples
from lynx.benchmarks.scores import Scores
from lynx.errors import InputError


@dataclass(frozen=True)
class Case:
    """Raw files of one split (name -> JSON), answers to it, and what must come out."""

    split: str
    files: dict[str, object]
    first_prompt: str
    predictions: dict[str, str]
    metrics: dict[str, float]
    groups: dict[str, dict[str, dict[str, float]]]
    missing: int
    empty: int


def _scanqa(number: int, question: str, answers: list[str]) -> dict[str, object]:
    return {
        "scene_id": "scene0011_00",
        "question_id": f"val-scene0011-{number}",
        "question": question,
        "answers": answers,
    }


def _sqa3d(texts: list[tuple[str, str]]) -> dict[str, object]:
    scene = "scene0380_00"
    numbered = [(220602000000 + number, *pair) for number, pair in enumerate(texts)]
    return {
        "v1_balanced_questions_test_scannetv2.json": {
            "questions": [
                {
                    "scene_id": scene,
                    "question_id": number,
                    "situation": "I face the door.",
                    "question": question,
                }
                for number, question, _ in numbered
            ]
        },
        "v1_balanced_sqa_annotations_test_scannetv2.json": {
            "annotations": [
                {"scene_id": scene, "question_id": number, "answers": [{"answer": answer}]}
                for number, _, answer in numbered
            ]
        },
        "v1_balanced_questions_test_scannetv2.tags.json": {
            "220602000000": {"needs": "depth"},
            "220602000001": {"needs": "depth"},
            "220602000004": {"needs": "colour"},
        },
    }


_E = 2.718281828459045


def _meteor(precision: float, recall: float, fragmentation: float) -> float:
    """METEOR 1.5 with its English weights: alpha 0.85, beta 0.20, gamma 0.60, delta 0.75."""
    mean = precision * recall / (0.85 * precision + 0.15 * recall)
    return mean * (1 - 0.60 * math.pow(fragmentation, 0.20))


CASES = {
    "scanqa": Case(
        split="val",
        files={
            "ScanQA_v1.0_val.json": [
                _scanqa(0, "What is left of the bed?", ["a brown chair", "seat"]),
                _scanqa(1, "How many lamps are there?", ["2"]),
                _scanqa(2, "What is on the table?", ["white monitor"]),
                _scanqa(3, "What color is it?", ["black & white"]),
            ],
            "ScanQA_v1.0_val.tags.json": {
                "val-scene0011-0": {"needs": "depth"},
                "val-scene0011-1": {"needs": "colour"},
                "val-scene0011-2": {"needs": "depth"},
            },
        },
        first_prompt="What is left of the bed?",
        # Cleaned: "brown chair" right, "three" wrong, "monitor" refined, none given.
        predictions={
            "val-scene0011-0": "The brown chair.",
            "val-scene0011-1": "3",
            "val-scene0011-2": "monitor",
        },
        metrics={
            "em": 1 / 4,
            "em_refined": 2 / 4,
            # 4 words, 3 of them right; the closest references have 2 + 1 + 2 + 2 words.
            "bleu1": 3 / 4 * _E ** (1 - 7 / 4),
            # 1 pair of words, right; the geometric mean with the words.
            "bleu2": (3 / 4) ** 0.5 * _E ** (1 - 7 / 4),
            # No triple predicted: the scorer takes 1e-6 for triples and for quadruples.
            "bleu3": (3 / 4 * 1e-6) ** (1 / 3) * _E ** (1 - 7 / 4),
            "bleu4": (3 / 4 * 1e-12) ** (1 / 4) * _E ** (1 - 7 / 4),
            "meteor": _meteor(
                precision=3 / 4,
                # Content words weigh 0.75, function words 0.25: "two" is one of these.
                recall=3 * 0.75 / (6 * 0.75 + 0.25),
                # "monitor" is a chunk; an answer that equals its reference has none.
                fragmentation=1 / 3,
            ),
            # Item 0: 1. Item 2: precision 1, recall 1/2, beta 1.2.
            "rouge_l": (1 + (1 + 1.44) * 0.5 / (0.5 + 1.44)) / 4,
            # "brown chair" against itself: cosine 1 for words and pairs, of 4 lengths; against
            # "seat": 0. "monitor" against "white monitor": "white" is in 2 of 4 items (idf log 2),
            # "monitor" in 1 (idf log 4 = 2 log 2); cosine 2 / sqrt(5) for words; the prediction
            # has one pair of words less, which costs exp(-1 / 72).
            "cider": 10 * (2 / 4 / 2 + 2 / 5**0.5 * _E ** (-1 / 72) / 4) / 4,
        },
        groups={
            "needs": {
                "colour": {"em": 0.0, "em_refined": 0.0, "rouge_l": 0.0, "cider": 0.0},
                "depth": {"em": 1 / 2, "em_refined": 1.0, "bleu1": _E ** (1 - 4 / 3)},
            }
        },
        missing=1,
        empty=0,
    ),
    "sqa3d": Case(
        split="test",
        files=_sqa3d(
            [
                ("What is behind me?", "brown chair"),
                ("Is the door open?", "yes"),
                ("How many lamps are left?", "two"),
                ("Is it dark?", "no"),
                ("where is the lamp?", "left"),
            ]
        ),
        first_prompt="I face the door. What is behind me?",
        # Right after the cleaning; refined; blank; none given; right by a repaired misspelling.
        predictions={
            "220602000000": "the brown chair",
            "220602000001": "yes it is",
            "220602000002": " ",
            "220602000004": "Letf",
        },
        metrics={"em": 2 / 5, "em_refined": 3 / 5},
        groups={
            "type": {
                "How": {"em": 0.0, "em_refined": 0.0},
                "Is": {"em": 0.0, "em_refined": 1 / 2},
                "Other": {"em": 1.0, "em_refined": 1.0},
                "What": {"em": 1.0, "em_refined": 1.0},
            },
            "needs": {
                "colour": {"em": 1.0, "em_refined": 1.0},
                "depth": {"em": 1 / 2, "em_refined": 1.0},
            },
        },
        missing=1,
        empty=1,
    ),
}


@dataclass(frozen=True)
class Outcome:
    benchmark: Benchmark
    case: Case
    samples: list[Sample]
    scores: Scores


def test_every_benchmark_has_a_case() -> None:
    assert set(CASES) == set(benchmark_names())


@pytest.fixture(scope="module", params=sorted(CASES))
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    case = CASES[request.param]
    root = tmp_path_factory.mktemp("annotations")
    for name, content in case.files.items():
        (root / name).write_text(json.dumps(content))
    benchmark = get_benchmark(request.param)
    annotation = benchmark.read(root, case.split)
    assert sorted(file.name for file in annotation.files) == sorted(case.files)
    scores = benchmark.score(annotation.samples, case.predictions)
    return Outcome(benchmark, case, annotation.samples, scores)


def test_samples_survive_their_table(outcome: Outcome, tmp_path: Path) -> None:
    write_samples(tmp_path / "samples.jsonl", outcome.samples)
    assert read_samples(tmp_path / "samples.jsonl") == outcome.samples


def test_samples_are_ready_to_train_on(outcome: Outcome) -> None:
    for sample in outcome.samples:
        assert sample.turns[-1].answer == sample.references[0]
        for number in range(len(sample.turns)):
            text = outcome.benchmark.prompt(sample, number)
            assert text.strip()
            assert "<image>" not in text


def test_prompt(outcome: Outcome) -> None:
    assert outcome.benchmark.prompt(outcome.samples[0], 0) == outcome.case.first_prompt


def test_metrics(outcome: Outcome) -> None:
    values = {key: metric.value for key, metric in outcome.scores.metrics.items()}
    assert values == pytest.approx(outcome.case.metrics, abs=1e-6)
    assert tuple(values) == outcome.benchmark.metrics
    counts = {metric.count for metric in outcome.scores.metrics.values()}
    assert counts == {len(outcome.samples)} == {outcome.scores.samples}
    assert (outcome.scores.missing, outcome.scores.empty) == (
        outcome.case.missing,
        outcome.case.empty,
    )


def test_groups(outcome: Outcome) -> None:
    groups = outcome.scores.groups
    assert {key: sorted(group) for key, group in groups.items()} == {
        key: sorted(group) for key, group in outcome.case.groups.items()
    }
    for grouping, expected in outcome.case.groups.items():
        for group, values in expected.items():
            metrics = groups[grouping][group]
            assert tuple(metrics) == outcome.benchmark.metrics
            for key, value in values.items():
                assert metrics[key].value == pytest.approx(value, abs=1e-6), (group, key)
            members = [
                sample
                for sample in outcome.samples
                if ({"type": sample.type} | sample.tags).get(grouping) == group
            ]
            assert {metric.count for metric in metrics.values()} == {len(members)}


def test_scores_are_json(outcome: Outcome) -> None:
    content = json.loads(json.dumps(outcome.scores.as_dict(), allow_nan=False))
    assert list(content) == ["metrics", "groups", "samples", "missing", "empty"]
    assert content["metrics"]["em"] == {
        "value": outcome.case.metrics["em"],
        "count": len(outcome.samples),
    }


def test_foreign_predictions_and_doubled_samples_are_refused(outcome: Outcome) -> None:
    with pytest.raises(InputError, match=r"prediction 'x' .* belongs to none of the"):
        outcome.benchmark.score(outcome.samples, {"x": "chair"})
    with pytest.raises(InputError, match="more than once"):
        outcome.benchmark.score([*outcome.samples, outcome.samples[0]], {})


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="benchmark 'scanqa' is already registered; names are u"):
        register(replace(get_benchmark("sqa3d"), name="scanqa"))
    assert get_benchmark("scanqa").title == "ScanQA"


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        get_benchmark("ScanQA")
    assert str(caught.value) == (
        "benchmark: found 'ScanQA', expected one of scanqa, sqa3d; correct the configuration"
    )
