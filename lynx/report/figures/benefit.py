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


@dataclass(frozen=True)
class Bars:
    """One benchmark: for each variant the main metric x 100 by group of questions."""

    benchmark: str
    metric: str
    groups: tuple[str, ...]
    variants: Mapping[str, Mapping[str, Spread]]


def bars_of(
    runs: Runs, scale: str, benchmarks: Mapping[str, BenchmarkConfig], variants: Sequence[str]
) -> Iterator[Bars]:
    """Every benchmark that has runs at a scale, by what questions need or in its main groups."""
    for name, config in benchmarks.items():
        groupings = (NEEDS,) if NEEDS in config.main_groups else config.main_groups
        found = {
            variant: values
            for variant in variants
            if (values := _by_group(runs.over_seeds(scale, variant, name), config, groupings))
        }
        if found:
            groups = dict.fromkeys(group for values in found.values() for group in values)
            yield Bars(name, config.main_metric, tuple(groups), found)


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
    """A panel for each benchmark, a bar for each variant in each group, deviations over seeds."""
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
        figure.legend(labels.values(), labels.keys(), loc="outside lower center", ncol=len(labels))
    return figure


def _draw(axes: Any, bars: Bars) -> dict[str, Any]:
    width, drawn = 0.8 / len(bars.variants), {}
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
    turned = {"rotation": 90} if len(bars.groups) >= MANY else {}
    names = [name.replace(" ", " " if turned else "\n", 1) for name in bars.groups]
    axes.set_xticks(range(len(bars.groups)), names, fontsize=8, **turned)
    title, metric = get_benchmark(bars.benchmark).title, TITLES.get(bars.metric, bars.metric)
    axes.set_title(f"{title}\n{metric} x 100")
    axes.grid(axis="x", visible=False)
    return drawn
