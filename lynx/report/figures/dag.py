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
    places = places_of(graph)
    with drawing():
        rows = 1 - min((y for _, y in places.values()), default=0)
        figure = Figure(figsize=(9.6, 0.5 + 0.75 * rows))
        axes = figure.add_subplot()
        axes.axis("off")
        boxes = {}
        for kind, (x, y) in places.items():
            box = {"boxstyle": "round,pad=0.4", "facecolor": "#EAF3EE", "edgecolor": "#14634A"}
            text = f"{kind}\n{counts[kind]} stage{'s' if counts[kind] > 1 else ''}"
            boxes[kind] = axes.text(x, y, text, ha="center", va="center", fontsize=8, bbox=box)
        for start, end in graph.edges:
            _arrow(axes, boxes[start], boxes[end])
        axes.set_xlim(-0.5, max((x for x, _ in places.values()), default=0) + 0.5)
        axes.set_ylim(0.5 - rows, 0.5)
    return figure


def _arrow(axes: Any, start: Any, end: Any) -> None:
    """From box to box, as far from the edges of both whatever is written in them."""
    look = {"arrowstyle": "-|>", "color": "#888888", "shrinkA": 3, "shrinkB": 3}
    patches = {"patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch()}
    axes.annotate(
        "", end.get_position(), xytext=start.get_position(), arrowprops={**look, **patches}
    )


def places_of(graph: nx.DiGraph) -> dict[str, tuple[int, int]]:
    """Column and row (0, -1, ...) of each kind: the longest chain in a row, the others below.

    What reads nothing stands just before its first reader, so that no arrow passes under a box.
    """
    layers: dict[str, int] = {}
    for layer, kinds in enumerate(nx.topological_generations(graph)):
        layers |= dict.fromkeys(kinds, layer)
    for kind in graph:
        if not graph.in_degree(kind) and graph.out_degree(kind):
            layers[kind] = min(layers[each] for each in graph.successors(kind)) - 1
    chain = nx.dag_longest_path(graph)
    places = {kind: (layers[kind], 0) for kind in chain}
    for kind in sorted(set(graph) - set(chain)):
        taken = [row for column, row in places.values() if column == layers[kind]]
        places[kind] = (layers[kind], min(taken, default=0) - 1)
    return places
