"""What every registered benchmark promises, and its numbers on the fixture of ``benchmark_cases``.

The first test fails until a new benchmark has a case there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import cycle, groupby
from pathlib import Path

import pytest

from lynx.benchmarks import Benchmark, benchmark_names, get_benchmark, register
from lynx.benchmarks.sample import Sample, read_samples, write_samples
from lynx.benchmarks.scores import Metric, Scores
from lynx.errors import InputError
from lynx.metrics import captions
from lynx.metrics import meteor as meteor_module
from lynx.metrics.meteor import meteor
from lynx.model.chat import IGNORED, ChatEncoder
from lynx.sft.dataset import conversation
from tests.unit.benchmark_cases import CASES, TRAINING_SETS, Case


@dataclass(frozen=True)
class Outcome:
    """A case as read and scored; ``alone``: sample id -> metrics of that one sample."""

    benchmark: Benchmark
    case: Case
    samples: list[Sample]
    scores: Scores
    alone: dict[str, dict[str, Metric]]


def test_every_benchmark_has_a_case() -> None:
    without = set(benchmark_names()) - set(CASES) - set(TRAINING_SETS)
    assert not without, f"tests/unit/benchmark_cases.py: no case of {sorted(without)}; add one each"
    assert set(CASES) | set(TRAINING_SETS) == set(benchmark_names())


def _read(benchmark: Benchmark, root: Path, split: str, files: dict[str, object]) -> list[Sample]:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        (root / name).write_text(text)
    annotation = benchmark.read(root, split)
    tables = {name for name, content in files.items() if not isinstance(content, str)}
    assert {str(file.relative_to(root)) for file in annotation.files} == tables
    return annotation.samples


@pytest.fixture(scope="module")
def one_meteor() -> Iterator[None]:
    """METEOR as it is, but started once for the module: loading its tables takes seconds."""
    with meteor() as scorer, pytest.MonkeyPatch.context() as patch:
        for module in (captions, meteor_module):
            patch.setattr(module, "meteor", lambda: nullcontext(scorer))
        yield


@pytest.fixture(scope="module", params=sorted(CASES))
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    case = CASES[request.param]
    benchmark = get_benchmark(request.param)
    if "meteor" in benchmark.metrics:
        request.getfixturevalue("one_meteor")
    root = tmp_path_factory.mktemp("annotations")
    samples = _read(benchmark, root, case.split, case.files)
    # A grouping of their own gives the values of single samples.
    named = [
        sample.model_copy(update={"tags": sample.tags | {"sample": sample.id}})
        for sample in samples
    ]
    scores = benchmark.score(named, case.predictions)
    groups = dict(scores.groups)
    alone = groups.pop("sample")
    return Outcome(benchmark, case, samples, replace(scores, groups=groups), alone)


@pytest.fixture(scope="module")
def training(outcome: Outcome, tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    benchmark = outcome.benchmark
    if not outcome.case.training:  # it is trained on another one
        return []
    root = tmp_path_factory.mktemp("training")
    return _read(benchmark, root, benchmark.splits[0], outcome.case.training)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> ChatEncoder:
    from tests.tiny_base import SPECIAL, byte_tokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    byte_tokenizer().save_pretrained(folder)
    return ChatEncoder.load(folder, 256 + SPECIAL.index("<image>"))


def test_items_come_to_the_metrics(outcome: Outcome) -> None:
    scores, ids = outcome.scores, [sample.id for sample in outcome.samples]
    assert list(scores.per_item) == list(outcome.benchmark.metrics)
    for name, item in scores.per_item.items():
        assert item.pooled() == pytest.approx(scores.metrics[name].value, abs=1e-12)
        alone = [outcome.alone[key][name].value for key in ids]
        assert item.alone().tolist() == pytest.approx(alone, abs=1e-12)


def test_samples_survive_their_table(outcome: Outcome, tmp_path: Path) -> None:
    write_samples(tmp_path / "samples.jsonl", outcome.samples)
    assert read_samples(tmp_path / "samples.jsonl") == outcome.samples


def test_samples_are_ready_to_train_on(outcome: Outcome, training: list[Sample]) -> None:
    for sample in [*outcome.samples, *training]:
        assert sample.turns[-1].answer == sample.references[0]
        for number in range(len(sample.turns)):
            text = outcome.benchmark.prompt(sample, number)
            assert text.strip()
            assert "<image>" not in text


def test_prompt(outcome: Outcome) -> None:
    assert outcome.benchmark.prompt(outcome.samples[0], 0) == outcome.case.first_prompt


def test_the_first_split_is_for_training(outcome: Outcome, training: list[Sample]) -> None:
    if not training:
        assert "train" not in outcome.benchmark.splits
        assert outcome.case.split in outcome.benchmark.splits
        return
    assert outcome.benchmark.splits[0] == "train"
    assert outcome.case.split in outcome.benchmark.splits[1:]
    assert tuple(turn.answer for turn in training[0].turns) == outcome.case.taught


def test_every_answer_is_supervised_and_nothing_else(
    outcome: Outcome, training: list[Sample], encoder: ChatEncoder
) -> None:
    """One span a turn: the answer, its end token and the newline behind it."""
    answers = [
        *([outcome.case.taught] if training else []),
        *(tuple(turn.answer for turn in sample.turns) for sample in outcome.samples),
    ]
    for sample, expected in zip([*training[:1], *outcome.samples], answers, strict=True):
        assert _supervised(encoder, outcome.benchmark, sample) == expected


def _supervised(encoder: ChatEncoder, benchmark: Benchmark, sample: Sample) -> tuple[str, ...]:
    chat = encoder.encode(conversation(sample, benchmark.prompt), answer_last=True)
    runs = [
        list(run)
        for ignored, run in groupby(chat.labels, lambda label: label == IGNORED)
        if not ignored
    ]
    spans = [encoder.tokenizer.decode(run) for run in runs]
    assert all(span.endswith("<|im_end|>\n") for span in spans)
    return tuple(span.removesuffix("<|im_end|>\n") for span in spans)


@pytest.mark.parametrize("name", sorted(TRAINING_SETS))
def test_a_training_set_is_taught_and_not_scored(
    name: str, encoder: ChatEncoder, tmp_path: Path
) -> None:
    benchmark, case = get_benchmark(name), TRAINING_SETS[name]
    assert (benchmark.splits, benchmark.metrics) == (("train",), ())
    samples = _read(benchmark, tmp_path, "train", case.files)
    assert [_supervised(encoder, benchmark, sample) for sample in samples] == case.taught
    with pytest.raises(InputError) as caught:
        benchmark.score(samples, {})
    assert str(caught.value) == (
        f"{name}: found {len(samples)} samples to score, expected none because the set is for "
        "training; score a benchmark that is trained on it"
    )


def test_metrics(outcome: Outcome) -> None:
    values = {key: metric.value for key, metric in outcome.scores.metrics.items()}
    assert values == pytest.approx(outcome.case.metrics, abs=1e-6)
    counts = {metric.count for metric in outcome.scores.metrics.values()}
    assert counts == {len(outcome.samples)} == {outcome.scores.samples}
    assert (outcome.scores.missing, outcome.scores.empty) == (
        outcome.case.missing,
        outcome.case.empty,
    )


def test_every_metric_is_given_in_order(outcome: Outcome) -> None:
    groups = [group for found in outcome.scores.groups.values() for group in found.values()]
    for metrics in [outcome.scores.metrics, *groups, *outcome.alone.values()]:
        assert tuple(metrics) == outcome.benchmark.metrics


def test_single_answers(outcome: Outcome) -> None:
    given = {item for item, text in outcome.case.predictions.items() if text.strip()}
    assert set(outcome.case.alone) == given
    assert set(outcome.alone) == {sample.id for sample in outcome.samples}
    for item, metrics in outcome.alone.items():
        nothing = dict.fromkeys(outcome.benchmark.metrics, 0.0)
        for key, value in outcome.case.alone.get(item, nothing).items():
            assert metrics[key].value == pytest.approx(value, abs=1e-6), (item, key)
            assert metrics[key].count == 1


def test_groups(outcome: Outcome) -> None:
    groups = outcome.scores.groups
    assert {key: sorted(group) for key, group in groups.items()} == {
        key: sorted(group) for key, group in outcome.case.groups.items()
    }
    for grouping, expected in outcome.case.groups.items():
        for group, values in expected.items():
            metrics = groups[grouping][group]
            for key, value in values.items():
                assert metrics[key].value == pytest.approx(value, abs=1e-6), (group, key)
            members = [
                sample
                for sample in outcome.samples
                if ({"type": sample.type} | sample.tags).get(grouping) == group
            ]
            assert {metric.count for metric in metrics.values()} == {len(members)}


def test_blank_answers_score_nothing(outcome: Outcome) -> None:
    blank = {
        sample.id: text
        for sample, text in zip(outcome.samples, cycle(["", " ", "\n\t"]), strict=False)
    }
    scores = outcome.benchmark.score(outcome.samples, blank)
    groups = [group for found in scores.groups.values() for group in found.values()]
    for metrics in [scores.metrics, *groups]:
        values = {key: metric.value for key, metric in metrics.items()}
        assert values == dict.fromkeys(outcome.benchmark.metrics, 0.0)
    assert (scores.missing, scores.empty) == (0, len(outcome.samples))


def test_scores_are_json(outcome: Outcome) -> None:
    content = json.loads(json.dumps(outcome.scores.as_dict(), allow_nan=False))
    assert list(content) == ["metrics", "groups", "samples", "missing", "empty"]
    assert list(content["metrics"]) == list(outcome.benchmark.metrics)
    for key, metric in outcome.scores.metrics.items():
        assert content["metrics"][key] == {"value": metric.value, "count": len(outcome.samples)}


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
        f"benchmark: found 'ScanQA', expected one of {', '.join(benchmark_names())}; correct the "
        "configuration"
    )
