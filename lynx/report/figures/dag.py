"""The workflow at a glance: kinds of stages in `dvc.yaml`, which Snakemake's job list is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import networkx as nx
from matplotlib.figure import Figure

from lynx.artifacts.manifest import MANIFEST_NAME
from lynx.report.figures.style import drawing

OUTS = ("outs", "metrics", "plots")
SETTINGS = "settings"
"""The stage that writes what the others are compared by, and makes no artefact."""
Stages = Mapping[str, Mapping[str, Any]]
"""`stages` of `dvc.yaml`."""


def kind_of(stage: str) -> str:
    """`sft` of `sft-lynx-scanqa-seed0`."""
    return stage.partition("-")[0]


def stage_graph(stages: Stages) -> nx.DiGraph:
    """Kinds of stages, an edge from each to those that read it; none that follows from others.

    A variant whose X is read by an adapter of stage 3 has features that are made after it: what
    the fewest stages do against the order of the others is not drawn.
    """
    makers = {path: name for name, stage in stages.items() for path in _outs(stage)}
    readings: Counter[tuple[str, str]] = Counter()
    for name, stage in stages.items():
        for path in stage.get("deps", ()):
            maker = makers.get(path) or makers.get(path.removesuffix(f"/{MANIFEST_NAME}"))
            if maker is not None and kind_of(maker) != kind_of(name):
                readings[kind_of(maker), kind_of(name)] += 1
    graph = nx.DiGraph()
    graph.add_nodes_from(kind_of(name) for name in stages)
    graph.add_edges_from(readings)
    for first, second in sorted(readings, key=lambda edge: (readings[edge], edge)):
        if nx.has_path(graph, second, first):
            graph.remove_edge(first, second)
    # The reduction's own order is that of sets, and differs from process to process.
    ordered = nx.DiGraph()
    ordered.add_nodes_from(graph.nodes)
    ordered.add_edges_from(sorted(nx.transitive_reduction(graph).edges))
    return ordered


def _outs(stage: Mapping[str, Any]) -> Iterable[str]:
    for kind in OUTS:
        for out in stage.get(kind, ()):
            yield out if isinstance(out, str) else next(iter(out))


def draw_dag(stages: Stages) -> Figure:
    """Kinds from left to right in the order in which they can run, with their numbers of stages."""
    made = {name: stage for name, stage in stages.items() if stage.get("outs") and name != SETTINGS}
    counts = Counter(kind_of(name) for name in made)
    graph = stage_graph(made)
    # Lists, because the layout would gather nodes of equal layers in sets, as little in order.
    layers = {layer: sorted(kinds) for layer, kinds in enumerate(nx.topological_generations(graph))}
    places = nx.multipartite_layout(graph, subset_key=layers)
    with drawing():
        figure = Figure(figsize=(9.6, 2.2))
        axes = figure.add_subplot()
        axes.axis("off")
        nx.draw_networkx_edges(
            graph, places, ax=axes, node_size=2600, edge_color="#888888", arrowsize=10
        )
        for kind, (x, y) in places.items():
            box = {"boxstyle": "round,pad=0.4", "facecolor": "#EAF3EE", "edgecolor": "#14634A"}
            text = f"{kind}\n{counts[kind]} stage{'s' if counts[kind] > 1 else ''}"
            axes.text(x, y, text, ha="center", va="center", fontsize=8, bbox=box)
        axes.margins(0.08, 0.15)
    return figure
