"""Scoring of benchmarks with one right answer an item (AVQA, MUSIC-AVQA, Ego-Exo4D)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lynx.benchmarks.grouping import assemble, group_members, references_of
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scores import Scores
from lynx.metrics.multiple_choice import Rule, accuracy


def score_choices(
    samples: Sequence[Sample], predictions: Mapping[str, str], rules: Mapping[str, Rule]
) -> Scores:
    """The fraction that is right by each rule (metric -> rule), over all samples and in each group.

    A group's value is a micro-average: every item of it weighs the same.

    Raises:
        InputError: a sample has no reference or stands twice, or a prediction belongs to none.
    """
    gold = {item: texts[0] for item, texts in references_of(samples).items()}
    members = group_members(samples)
    overall = accuracy(predictions, gold, rules)
    groups = {
        key: accuracy(
            {item: predictions[item] for item in ids if item in predictions},
            {item: gold[item] for item in ids},
            rules,
        ).values
        for key, ids in members.items()
    }
    return assemble(overall, overall.values, members, groups)
