"""What X gives: each variant on questions that need X and on those that do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from lynx.benchmarks import get_benchmark
from lynx.config.files import BenchmarkConfig
from lynx.report.figures.style import colour_of, drawing, nothing
from lynx.report.runs import Run, Runs
from lynx.report.spread import Spread
from lynx.report.terminal import TITLES

ROW = 3
NEEDS = "needs"
"""The grouping of rendered worlds: which sense a question needs."""
MANY = 4
"""Groups from which on their names stand upright."""
SEEN = f"{NEEDS} colour"
"""The group of `needs` that any frame answers; every other one needs X."""
NEED_X = frozenset(
    ("relation Sound", "scenario Audio", "scenario Audio-Visual", "scenario Rock Climbing")
)
"""Of the benchmarks' own groups, those whose questions need X in a rendered world."""
SHADE = "#E6E9EE"
SHADED = "shaded: questions that need X"


@dataclass(frozen=True)
class Bars:
    """One benchmark: for each variant the main metric x 100 by group of questions."""

    benchmark: str
    metric: str
    groups: tuple[str, ...]
    variants: Mapping[str, Mapping[str, Spread]]
    need_x: frozenset[str] = frozenset()
    """Groups known to need X: only rendered worlds say so of their questions."""


def bars_of(
    runs: Runs, scale: str, benchmarks: Mapping[str, BenchmarkConfig], variants: Sequence[str]
) -> Iterator[Bars]:
    """Every benchmark that has runs at a scale, by what questions need or in its main groups."""
    for name, config in benchmarks.items():
        groupings = (NEEDS,) if NEEDS in config.main_groups else config.main_groups
        seeds = {variant: runs.over_seeds(scale, variant, name) for variant in variants}
        found = {
            variant: values
            for variant in variants
            if (values := _by_group(seeds[variant], config, groupings))
        }
        if found:
            groups = tuple(dict.fromkeys(group for values in found.values() for group in values))
            rendered = any(run.synthetic for each in seeds.values() for run in each.values())
            need_x = filter(needs_x, groups if rendered else ())
            yield Bars(name, config.main_metric, groups, found, frozenset(need_x))


def needs_x(group: str) -> bool:
    """Whether the questions of a rendered world's group (`needs depth`) need X."""
    return group in NEED_X or (group.startswith(f"{NEEDS} ") and group != SEEN)


def _by_group(
    seeds: Mapping[int, Run], config: BenchmarkConfig, groupings: Sequence[str]
) -> dict[str, Spread]:
    """The main metric x 100 over seeds in every group that all seeds have."""
    ordered = [run for _, run in sorted(seeds.items())]
    names = dict.fromkeys(
        (grouping, group)
        for grouping in groupings
        for run in ordered
        for group in sorted(run.report["groups"].get(grouping, {}))
    )
    found: dict[str, Spread] = {}
    for name in names:
        values = [run.value(config.main_metric, name) for run in ordered]
        known = tuple(100 * value for value in values if value is not None)
        if len(known) == len(ordered):
            found[" ".join(name)] = Spread(known)
    return found


def draw_benefit(bars: Sequence[Bars], title: str) -> Figure:
    """A panel for each benchmark, a bar for each variant in each group, deviations over seeds.

    Groups that need X stand on grey.
    """
    if not bars:
        return nothing(title)
    with drawing():
        rows = -(-len(bars) // ROW)
        figure = Figure(figsize=(3.2 * ROW, 2.6 * rows + 0.5))
        figure.suptitle(title)
        labels: dict[str, Any] = {}
        for place, each in enumerate(bars):
            axes = figure.add_subplot(rows, ROW, place + 1)
            labels |= _draw(axes, each)
        if SHADED in labels:  # behind the variants, whichever panel had it first
            labels[SHADED] = labels.pop(SHADED)
        figure.legend(labels.values(), labels.keys(), loc="outside lower center", ncol=len(labels))
    return figure


def _draw(axes: Any, bars: Bars) -> dict[str, Any]:
    width, drawn = 0.8 / len(bars.variants), dict[str, Any]()
    for index, (variant, values) in enumerate(bars.variants.items()):
        places = [
            group + (index - (len(bars.variants) - 1) / 2) * width
            for group, name in enumerate(bars.groups)
            if name in values
        ]
        kept = [values[name] for name in bars.groups if name in values]
        drawn[variant] = axes.bar(
            places,
            [spread.mean for spread in kept],
            width * 0.92,
            yerr=[spread.deviation or 0.0 for spread in kept],
            error_kw={"linewidth": 0.8},
            color=colour_of(variant, index),
        )
    for place, name in enumerate(bars.groups):
        if name in bars.need_x:
            shade = axes.axvspan(place - 0.47, place + 0.47, color=SHADE, linewidth=0, zorder=0)
            drawn[SHADED] = shade
    turned = {"rotation": 90} if len(bars.groups) >= MANY else {}
    names = [name.replace(" ", " " if turned else "\n", 1) for name in bars.groups]
    axes.set_xticks(range(len(bars.groups)), names, fontsize=8, **turned)
    title, metric = get_benchmark(bars.benchmark).title, TITLES.get(bars.metric, bars.metric)
    axes.set_title(f"{title}\n{metric} x 100")
    axes.grid(axis="x", visible=False)
    return drawn
