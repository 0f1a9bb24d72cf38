"""Which questions a page of samples shows: answers of every variant, and a choice among them.

The choice is no sample of the benchmark in the statistical sense: it is spread over the groups and
over what the variants make of the questions, so that a page shows each of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from lynx.artifacts.manifest import MANIFEST_NAME, Manifest, ParentEntry, parent_entry
from lynx.artifacts.verify import require_parent, require_settings, require_stage
from lynx.benchmarks import get_benchmark
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.short_answers import EXACT_MATCH_METRICS
from lynx.benchmarks.stage import read_split
from lynx.config.experiment import MAIN_VARIANT
from lynx.config.published import published_of
from lynx.config.slices import predict_slice
from lynx.errors import InputError
from lynx.evaluate.predictions import read_predictions
from lynx.metrics.captions import CAPTION_METRICS
from lynx.metrics.exact_match import match
from lynx.project import Project

SHOWN = 6
"""Questions on a page."""

Marking = Callable[[Sample, str], bool]
"""(sample, answer) -> right, by the benchmark's own rule."""


@dataclass(frozen=True)
class Answer:
    """What a variant said; None where it said nothing. `right` is None where nothing is marked."""

    text: str | None
    right: bool | None


@dataclass(frozen=True)
class Asked:
    """A question with the answers of the variants that were run, lynx first."""

    sample: Sample
    answers: Mapping[str, Answer]

    @property
    def outcomes(self) -> tuple[bool | str | None, ...]:
        """How each variant did: right or wrong; where nothing is marked, what it said."""
        return tuple(
            answer.text if answer.right is None else answer.right
            for answer in self.answers.values()
        )

    @property
    def differs(self) -> bool:
        """Whether not all variants did alike."""
        return len(set(self.outcomes)) > 1

    @property
    def question(self) -> str:
        """What was asked, in words: the last turn of a dialog."""
        return self.sample.turns[-1].question

    def groups(self, groupings: Sequence[str]) -> tuple[str, ...]:
        """The group of each grouping that the question is in; `-` where it is in none."""
        tags = self.sample.tags
        found = (self.sample.type if name == "type" else tags.get(name) for name in groupings)
        return tuple(name or "-" for name in found)


def marking(benchmark: Benchmark, metric: str) -> Marking | None:
    """How one answer is marked by a metric; None for metrics of captions, which say how near."""
    if metric in CAPTION_METRICS:
        return None
    if metric in EXACT_MATCH_METRICS:  # the scorer would compute captions beside them

        def matched(sample: Sample, text: str) -> bool:
            found = match(text, sample.references)
            return found.em if metric == "em" else found.refined

        return matched

    def scored(sample: Sample, text: str) -> bool:
        return benchmark.score([sample], {sample.id: text}).metrics[metric].value == 1.0

    return scored


def read_asked(project: Project, benchmark: str, split: str) -> list[Asked]:
    """A split's questions with the answers of lynx, and of the variants beside it that were run.

    These are the configured ones, and our controls in the publication's tables. Raises InputError
    if lynx was not run, or predictions are of another recipe or other tables.
    """
    config = project.experiment.benchmarks[benchmark]
    rule = marking(get_benchmark(benchmark), config.main_metric)
    answers = _answers(project, benchmark)
    require_stage(project.layout.data(benchmark), "data", deep=True)

    def answer(sample: Sample, text: str | None) -> Answer:
        if rule is None or not sample.references:
            return Answer(text, None)
        return Answer(text, text is not None and rule(sample, text))

    return [
        Asked(sample, {variant: answer(sample, said.get(sample.id)) for variant, said in answers})
        for sample in read_split(project, benchmark, split)
    ]


def _answers(project: Project, benchmark: str) -> list[tuple[str, dict[str, str]]]:
    layout, experiment = project.layout, project.experiment
    found = []
    chosen = {*experiment.shown_variants, *published_of(experiment, layout.root).controls}
    for variant in experiment.in_order(chosen):
        folder = layout.predictions(variant, benchmark, project.seed)
        if not (folder / MANIFEST_NAME).is_file():
            if variant != MAIN_VARIANT:
                continue
            target = layout.headline(benchmark).relative_to(layout.root)
            raise InputError(
                f"{folder}: no predictions of lynx on {benchmark}, expected those of seed "
                f"{project.seed}; run `snakemake --profile local {target}` first"
            )
        manifest = require_stage(folder, "predict", deep=True)
        settings = predict_slice(experiment, variant, benchmark)
        data = parent_entry(layout.data(benchmark))
        fits = manifest.settings == settings and _made_from(manifest, data)
        if not fits and variant not in experiment.shown_variants:
            # No rule of the page makes these again, and they are of no run beside the others.
            continue
        require_settings(folder, manifest, settings, "predictions")
        require_parent(folder, manifest, data)
        found.append((variant, read_predictions(folder)))
    return found


def _made_from(manifest: Manifest, parent: ParentEntry) -> bool:
    wanted = (parent.stage, parent.identity, parent.content)
    return wanted in [(each.stage, each.identity, each.content) for each in manifest.parents]


def choose(asked: Sequence[Asked], groupings: Sequence[str], count: int = SHOWN) -> list[Asked]:
    """`count` questions, or all of fewer, by group and then in the order given.

    One after another, the question is taken that brings, in this order of weight: the groups shown
    least so far; as many questions on which the variants differ as others, within these groups and
    at large; outcomes, a wording and a clip not yet shown. What is still equal is decided by the
    hash of the question's id, so that neither the order nor the ids' own sense does.
    """
    facts = [(item, item.groups(groupings), item.outcomes, _hash(item)) for item in asked]
    chosen: list[int] = []

    def weight(index: int) -> tuple[object, ...]:
        item, groups, outcomes, tie = facts[index]
        shown = [facts[each] for each in chosen]
        alike = [each for each in shown if each[0].differs == item.differs]
        return (
            sum(_shared(groups, each[1]) for each in shown),
            sum(_shared(groups, each[1]) for each in alike),
            len(alike),
            not item.differs,
            sum(each[2] == outcomes for each in shown),
            sum(each[0].question == item.question for each in shown),
            sum(each[0].sample.clip == item.sample.clip for each in shown),
            tie,
        )

    for _ in range(min(count, len(facts))):
        rest = (index for index in range(len(facts)) if index not in chosen)
        chosen.append(min(rest, key=weight))
    return [asked[index] for index in sorted(chosen, key=lambda each: (facts[each][1], each))]


def _shared(groups: Sequence[str], others: Sequence[str]) -> int:
    return sum(one == other for one, other in zip(groups, others, strict=True))


def _hash(asked: Asked) -> str:
    return sha256(asked.sample.id.encode()).hexdigest()
