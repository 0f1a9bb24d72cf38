"""Scoring of benchmarks whose answers are short phrases (ScanQA, SQA3D)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lynx.benchmarks.annotation import unique
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scores import Metric, Scores
from lynx.errors import InputError
from lynx.metrics.captions import caption_scores
from lynx.metrics.cleaning import clean_answer
from lynx.metrics.exact_match import ExactMatch, exact_match

EXACT_MATCH_METRICS = ("em", "em_refined")

# A grouping and one of its groups, such as ("type", "What").
_Group = tuple[str, str]


def score_exact_match(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """EM@1 and refined EM@1 over all samples and in every group.

    Raises:
        InputError: a sample has no references or stands twice, or a prediction belongs to none.
    """
    references = _references(samples)
    members = _groups(samples)
    overall = exact_match(predictions, references)
    groups = {key: _within(ids, predictions, references) for key, ids in members.items()}
    return _scores(overall, _fractions(overall), members, groups)


def score_phrases(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """EM@1, refined EM@1 and the caption metrics, the latter over cleaned text on both sides.

    The cleaning in front of the caption metrics is "released" behaviour (LEO, PAVE, LynX); the
    official ScanQA scorer takes raw text, and its numbers are not comparable.

    Raises:
        InputError: as ``score_exact_match`` and ``lynx.metrics.captions.caption_scores`` do.
    """
    references = _references(samples)
    members = _groups(samples)
    overall = exact_match(predictions, references)
    # The caption metrics know a group by one string, here its position.
    captions = caption_scores(
        {item: clean_answer(text) for item, text in predictions.items()},
        {item: [clean_answer(text) for text in texts] for item, texts in references.items()},
        {str(index): ids for index, ids in enumerate(members.values())},
    )
    groups = {
        key: _within(ids, predictions, references) | captions.groups[str(index)]
        for index, (key, ids) in enumerate(members.items())
    }
    return _scores(overall, _fractions(overall) | captions.overall, members, groups)


def _references(samples: Sequence[Sample]) -> dict[str, tuple[str, ...]]:
    unique((sample.id for sample in samples), "samples to score")
    for sample in samples:
        if not sample.references:
            raise InputError(
                f"sample {sample.id!r}: found no reference answers, expected at least one; the "
                "answers of this split are not public, so score another split"
            )
    return {sample.id: sample.references for sample in samples}


def _groups(samples: Sequence[Sample]) -> dict[_Group, list[str]]:
    """Sample ids of each group: question types first, then tags; groups in alphabetical order."""
    types: dict[_Group, list[str]] = {}
    tags: dict[_Group, list[str]] = {}
    for sample in samples:
        if sample.type is not None:
            types.setdefault(("type", sample.type), []).append(sample.id)
        for tag in sample.tags.items():
            tags.setdefault(tag, []).append(sample.id)
    return dict(sorted(types.items())) | dict(sorted(tags.items()))


def _within(
    ids: Sequence[str], predictions: Mapping[str, str], references: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    answered = {item: predictions[item] for item in ids if item in predictions}
    return _fractions(exact_match(answered, {item: references[item] for item in ids}))


def _fractions(scores: ExactMatch) -> dict[str, float]:
    return dict(zip(EXACT_MATCH_METRICS, (scores.em, scores.em_refined), strict=True))


def _scores(
    overall: ExactMatch,
    values: Mapping[str, float],
    members: Mapping[_Group, Sequence[str]],
    groups: Mapping[_Group, Mapping[str, float]],
) -> Scores:
    nested: dict[str, dict[str, dict[str, Metric]]] = {}
    for (grouping, group), group_values in groups.items():
        size = len(members[grouping, group])
        nested.setdefault(grouping, {})[group] = _with_count(group_values, size)
    return Scores(
        metrics=_with_count(values, overall.count),
        groups=nested,
        samples=overall.count,
        missing=overall.missing,
        empty=overall.empty,
    )


def _with_count(values: Mapping[str, float], count: int) -> dict[str, Metric]:
    return {key: Metric(value, count) for key, value in values.items()}
