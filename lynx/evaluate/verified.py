"""Whether a score follows from what it names: predictions, data, adapter and base on this disk."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lynx.artifacts.chain import Chain, Link
from lynx.artifacts.differences import differences, numbers
from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import MANIFEST_NAME, Manifest
from lynx.config.decided import HEADLINE, Configured, Place, place_of
from lynx.config.experiment import Experiment
from lynx.config.layout import Layout
from lynx.errors import InputError
from lynx.evaluate.metrics_file import AGAIN, SCORES, own_problems, read_report

RELATIVE = 1e-9
"""Sums over many questions may round differently with another numpy."""

SHOWN_BESIDE = ("metrics", "groups", "missing", "empty")
"""What a headline holds of a variant that stands beside lynx."""


def place_problems(path: Path, report: Mapping[str, Any], place: Place) -> Iterator[str]:
    """A score lies where its run's scores lie."""
    expected = {"scale": place.scale, "seed": place.seed, **place.names}
    for key, value in expected.items():
        if report[key] != value:
            yield f"{path}: {key} is {report[key]}, expected {value} from its path; {AGAIN}"


def read_placed(root: Path, path: Path) -> dict[str, Any]:
    """A run's score that is as it was written and lies where its run's scores lie.

    Raises InputError about the first thing that is not so.
    """
    report = read_report(path)
    place = place_of(path.relative_to(root))
    placed = () if place is None else place_problems(path, report, place)
    for problem in (*own_problems(path, report), *placed):
        raise InputError(problem)
    return report


def source_problems(
    path: Path, report: Mapping[str, Any], predictions: Link, data: Link
) -> Iterator[str]:
    """The hashes that a score names are those of its run's predictions and of their parents."""
    answers, table = predictions.manifest, data.manifest
    if answers is None or table is None:
        return  # their own links say so
    yield from other_predictions(path, report, predictions.path)
    named = report.get("parents", {})
    for parent in answers.parents:
        if parent.stage in ("base", "sft") and named.get(parent.stage) != parent.content:
            yield (
                f"{path}: parents.{parent.stage} is {str(named.get(parent.stage))[:12]}, but "
                f"{predictions.path} was made from {parent.content[:12]}; {AGAIN}"
            )
    if report.get("data") != table.content:
        yield (
            f"{path}: data is {str(report.get('data'))[:12]}, but {data.path} is "
            f"{table.content[:12]}; {AGAIN}"
        )
    yield from _denominator(path, report, answers, table)


def other_predictions(path: Path, report: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """A score names the predictions that lie in the folder."""
    found = hash_file(folder / MANIFEST_NAME)
    if found != report.get("predictions"):
        yield (
            f"{path}: the score of predictions {str(report.get('predictions'))[:12]}, but "
            f"{folder / MANIFEST_NAME} is {found[:12]}; {AGAIN}"
        )


def _denominator(
    path: Path, report: Mapping[str, Any], answers: Manifest, table: Manifest
) -> Iterator[str]:
    kept = table.counts.get(f"{report['split']} kept")
    if report["samples"] != kept:
        yield (
            f"{path}: samples is {report['samples']}, expected the {kept} annotated items of split "
            f"{report['split']}; {AGAIN}"
        )
    answered = answers.counts.get("answered")
    if answered is not None and answered + report["missing"] != report["samples"]:
        yield (
            f"{path}: {answered} answers and {report['missing']} missing ones, expected "
            f"{report['samples']} together; {AGAIN}"
        )


def config_problems(
    path: Path, report: Mapping[str, Any], experiment: Experiment, benchmark: str
) -> Iterator[str]:
    """What a score says about its recipe is what is configured; its predictions' settings follow
    with them."""
    expected = {
        "recipe": experiment.recipe_name,
        "split": experiment.recipes[benchmark].evaluate.split,
        "synthetic": experiment.synthetic,
    }
    for each in differences({key: report.get(key) for key in expected}, expected):
        yield (
            f"{path}: {each.key} is {each.old} in it, expected {each.new} from the configuration; "
            f"{AGAIN} or restore the configuration"
        )


def recomputed_problems(
    path: Path, report: Mapping[str, Any], predictions: Path, data: Path
) -> Iterator[str]:
    """Score the answers again and name the first value that differs, with how many there are."""
    from lynx.benchmarks import get_benchmark
    from lynx.benchmarks.sample import read_samples
    from lynx.evaluate.predictions import read_predictions

    try:
        samples = read_samples(data / f"{report['split']}.jsonl")
        scores = get_benchmark(report["benchmark"]).score(samples, read_predictions(predictions))
    except InputError as error:
        yield f"{path}: cannot be computed again: {error}"
        return
    yield from other_values(path, report, scores.as_dict(), predictions)


def other_values(
    path: Path, report: Mapping[str, Any], scores: Mapping[str, Any], predictions: Path
) -> Iterator[str]:
    """The first value of a score that is not what its answers come to, with how many there are."""
    expected = dict(numbers(scores))
    found = dict(numbers({key: report[key] for key in SCORES}))
    wrong = [
        key
        for key in dict.fromkeys([*expected, *found])
        if not _equal(found.get(key), expected.get(key))
    ]
    if wrong:
        more = f" (and {len(wrong) - 1} values more)" if len(wrong) > 1 else ""
        yield (
            f"{path}: {wrong[0]} is {found.get(wrong[0], 'absent')}, but the answers in "
            f"{predictions} come to {expected.get(wrong[0], 'none')}{more}; {AGAIN}"
        )


def _equal(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=RELATIVE, abs_tol=1e-12)


@dataclass
class Scores:
    """The scores of a chain: each run's `metrics.json`, and the headlines made of them."""

    chain: Chain
    configured: Configured
    reports: dict[Path, dict[str, Any]] = field(default_factory=dict)

    def follow(self, key: Path) -> Link:
        """Check a score and, before it, the artefacts that it names."""
        if key in self.chain.links:
            return self.chain.links[key]
        path, place = self.chain.root / key, place_of(key)
        headline = HEADLINE.fullmatch(key.as_posix()) is not None
        link = Link(path, "headline" if headline else "score")
        try:
            report = read_report(path)
        except InputError as error:
            link.problems.append(str(error))
        else:
            self.reports[key] = report
            link.problems += own_problems(path, report)
            if place is not None:
                self._run(link, report, place)
            elif headline:
                self._headline(link, report)
            else:
                link.notes.append("not below results/, so what it was made from is not known")
        return self.chain.links.setdefault(key, link)

    def _run(self, link: Link, report: dict[str, Any], place: Place) -> None:
        """A run's score: its place, its predictions and data, and with `deep` its values."""
        layout = Layout(Path(), place.scale)
        variant, benchmark = place.names["variant"], place.names["benchmark"]
        data = self.chain.follow(layout.data(benchmark))
        predictions = self.chain.follow(layout.predictions(variant, benchmark, place.seed or 0))
        link.problems += place_problems(link.path, report, place)
        link.problems += source_problems(link.path, report, predictions, data)
        experiment = self.configured.of(place)
        if isinstance(experiment, str):
            link.notes.append(f"not compared with the configuration: {experiment}")
        else:
            link.problems += config_problems(link.path, report, experiment, benchmark)
        if self.chain.deep and data.inventory:
            link.notes.append(f"not computed again, as the questions of {data.path} are not here")
        elif self.chain.deep and not predictions.problems and not data.problems:
            again = recomputed_problems(link.path, report, predictions.path, data.path)
            link.problems += again
            link.held = "unchanged, and what its answers come to"

    def _headline(self, link: Link, report: dict[str, Any]) -> None:
        """Its values are those of the runs that it shows, each of which is checked too."""
        shown = {report["variant"]: report, **report.get("compare_with", {})}
        scale, seed = report["scale"], report["seed"]
        for variant, values in shown.items():
            key = Layout(Path(), scale).metrics(variant, report["benchmark"], seed)
            run = self.follow(key)
            source = self.reports.get(key)
            if source is None:
                continue  # the run's own link says why
            found = {name: values.get(name) for name in SHOWN_BESIDE}
            expected = {name: source[name] for name in SHOWN_BESIDE}
            parted = list(differences(found, expected))
            if parted:
                more = f" (and {len(parted) - 1} values more)" if len(parted) > 1 else ""
                link.problems.append(
                    f"{link.path}: {parted[0].key} of {variant} is {parted[0].old}, but "
                    f"{run.path} has {parted[0].new}{more}; run the headline rule again"
                )
