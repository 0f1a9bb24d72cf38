"""Scoring of benchmarks whose answers are short phrases (ScanQA, SQA3D)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lynx.benchmarks.grouping import assemble, group_members, references_of
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scores import Scores
from lynx.metrics.captions import caption_scores
from lynx.metrics.cleaning import clean_answer
from lynx.metrics.exact_match import ExactMatch, exact_match
from lynx.metrics.per_item import PerItem, mean

EXACT_MATCH_METRICS = ("em", "em_refined")


def score_exact_match(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """EM@1 and refined EM@1 over all samples and in every group.

    Raises:
        InputError: a sample has no references or stands twice, or a prediction belongs to none.
    """
    references = references_of(samples)
    members = group_members(samples)
    overall = exact_match(predictions, references)
    groups = {key: _within(ids, predictions, references) for key, ids in members.items()}
    return assemble(overall, _fractions(overall), members, groups, _per_item(overall))


def score_phrases(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """EM@1, refined EM@1 and the caption metrics, the latter over cleaned text on both sides.

    The cleaning in front of the caption metrics is "released" behaviour (LEO, PAVE, LynX); the
    official ScanQA scorer takes raw text, and its numbers are not comparable.

    Raises:
        InputError: as ``score_exact_match`` and ``lynx.metrics.captions.caption_scores`` do.
    """
    references = references_of(samples)
    members = group_members(samples)
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
    values = _fractions(overall) | captions.overall
    return assemble(overall, values, members, groups, _per_item(overall) | captions.per_item)


def _within(
    ids: Sequence[str], predictions: Mapping[str, str], references: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    answered = {item: predictions[item] for item in ids if item in predictions}
    return _fractions(exact_match(answered, {item: references[item] for item in ids}))


def _per_item(scores: ExactMatch) -> dict[str, PerItem]:
    em, refined = zip(*((item.em, item.refined) for item in scores.matches), strict=True)
    return dict(zip(EXACT_MATCH_METRICS, (mean(em), mean(refined)), strict=True))


def _fractions(scores: ExactMatch) -> dict[str, float]:
    return dict(zip(EXACT_MATCH_METRICS, (scores.em, scores.em_refined), strict=True))
