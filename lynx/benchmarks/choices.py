"""Benchmarks with one right answer an item: options to choose from, and the scoring they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from types import MappingProxyType
from typing import Any

from lynx.benchmarks.annotation import required
from lynx.benchmarks.grouping import assemble, group_members, references_of
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scores import Scores
from lynx.errors import InputError
from lynx.metrics.letters import letter_word
from lynx.metrics.multiple_choice import Accuracy, Rule, accuracy, letter_of
from lynx.metrics.per_item import mean, mean_of_parts

LETTERS = "ABCDEFGHIJ"


def option_texts(item: Mapping[str, Any], key: str, most: int, place: str) -> tuple[str, ...]:
    """Field ``key`` as 2 to ``most`` options; whole numbers are taken as text.

    Raises:
        InputError: it is no list, of another length, or holds anything else, null above all.
    """
    values = required(item, key, list, place)
    if not 2 <= len(values) <= most or not all(type(value) in (str, int) for value in values):
        raise InputError(
            f"{place}: field {key!r}: found {values!r}, expected 2 to {most} texts; use the file "
            "as published"
        )
    return tuple(str(value).strip() for value in values)


def letter_of_option(options: Sequence[str], answer: object, place: str) -> str:
    """The letter of the option that the answer's text is; of equal options, the first.

    Raises:
        InputError: it is none of them; null is none either, though an option may read "None".
    """
    text = str(answer).strip()
    if type(answer) not in (str, int) or text not in options:
        raise InputError(
            f"{place}: field 'answer': found {answer!r}, expected one of the options "
            f"{', '.join(options)}; use the file as published"
        )
    return LETTERS[options.index(text)]


def bracketed(sample: Sample) -> list[str]:
    """A line for each option, its letter in brackets before it."""
    return [f"({letter}) {option}" for letter, option in zip(LETTERS, sample.options, strict=False)]


def plain_letter(letters: Sequence[str]) -> Rule:
    """The strict reading of an answer: it plainly is one of `letters`, and the right one."""
    return lambda text, gold: letter_of(text, letters) == gold


def letter_alone(letters: Sequence[str], *, any_case: bool) -> Rule:
    """The lenient reading of an answer: the first letter that stands alone in it, the right one."""
    return lambda text, gold: letter_word(text, letters, any_case=any_case) == gold


def score_choices(
    samples: Sequence[Sample],
    predictions: Mapping[str, str],
    rules: Mapping[str, Rule],
    task_means: Mapping[str, str] = MappingProxyType({}),
) -> Scores:
    """The fraction that is right by each rule (metric -> rule), over all samples and in each group.

    These are micro-averages: every item weighs the same. ``task_means`` (metric -> name of a rule)
    are unweighted means of that rule's fraction over the question types, and come first.

    Raises:
        InputError: a sample has no reference or stands twice, or a prediction belongs to none.
    """
    gold = {item: texts[0] for item, texts in references_of(samples).items()}
    task_of = {sample.id: sample.type for sample in samples}
    members = group_members(samples)
    overall = accuracy(predictions, gold, rules)

    def right(ids: Iterable[str]) -> Accuracy:
        chosen = {item: gold[item] for item in ids}
        answered = {item: predictions[item] for item in chosen if item in predictions}
        return accuracy(answered, chosen, rules)

    def values(ids: Sequence[str]) -> dict[str, float]:
        return _task_means(ids, task_of, right, task_means) | right(ids).values

    groups = {key: values(ids) for key, ids in members.items()}
    tasks = list(task_of.values())
    per_item = {
        **{name: mean_of_parts(overall.right[rule], tasks) for name, rule in task_means.items()},
        **{name: mean(right) for name, right in overall.right.items()},
    }
    return assemble(overall, values(list(gold)), members, groups, per_item)


def _task_means(
    ids: Sequence[str],
    task_of: Mapping[str, str | None],
    right: Callable[[Iterable[str]], Accuracy],
    task_means: Mapping[str, str],
) -> dict[str, float]:
    if not task_means:
        return {}
    by_task: dict[str | None, list[str]] = {}
    for item in ids:
        by_task.setdefault(task_of[item], []).append(item)
    found = [right(part).values for part in by_task.values()]
    return {name: fmean(task[rule] for task in found) for name, rule in task_means.items()}
