"""How far mean keys and values differ between sources of video (table B2 of the publication).

Shape legend: G sources, L blocks of the tower, h heads, S patches, d head width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import torch

from lynx.errors import InputError


@dataclass(frozen=True)
class LayerStability:
    """One block's keys or values over the sources; blocks count from 0.

    `norm2` is the squared length of their mean over the sources, `trace` that of the covariance
    between the sources; both are divided by the number of elements (heads x patches x head width),
    so that they are a mean square and a mean variance. `ratio` is R = norm2 / trace, which does not
    depend on that.
    """

    layer: int
    norm2: float
    trace: float
    ratio: float


def layer_stability(kind: str, layer: int, sources: torch.Tensor) -> LayerStability:
    """The numbers of one block from the means (G, h, S, d) of G >= 2 sources, in float64.

    `kind` is what they are means of, keys or values.

    Each source counts once, however many videos it has. The covariance is the unbiased one, divided
    by G - 1: the sources stand for sources of video at large, and the publication does not say.

    Raises InputError for sources that are equal: their trace is 0 and R is not a number.
    """
    wide = sources.double().flatten(1)
    mean, elements = wide.mean(dim=0), wide.shape[1]
    norm2 = float(mean @ mean) / elements
    trace = float(((wide - mean) ** 2).sum()) / (len(wide) - 1) / elements
    if trace == 0:
        raise InputError(
            f"stability: the {kind} of all {len(wide)} sources are equal in layer {layer}, "
            "expected references of different videos; check reference.sources in the recipe"
        )
    return LayerStability(layer, norm2, trace, norm2 / trace)


def stability(kind: str, sources: Mapping[str, torch.Tensor]) -> list[LayerStability]:
    """Every block's numbers from the mean keys, or the mean values, (L, h, S, d) by source.

    Raises InputError for fewer than two sources, and as `layer_stability` does.
    """
    if len(sources) < 2:
        raise InputError(
            f"stability: references of {len(sources)} group found ({', '.join(sources)}), expected "
            "at least 2; add benchmarks of other groups to benchmarks in config/config.yaml"
        )
    tensors = list(sources.values())
    return [
        layer_stability(kind, layer, torch.stack([each[layer] for each in tensors]))
        for layer in range(len(tensors[0]))
    ]


def equal_sources(sources: Mapping[str, torch.Tensor]) -> list[list[str]]:
    """Sources that have the same means (L, h, S, d), as those of the same videos do.

    Each of them counts as a source, so that the trace is smaller and R greater than without.
    """
    found: list[list[str]] = []
    for name, tensor in sources.items():
        for names in found:
            if torch.equal(tensor, sources[names[0]]):
                names.append(name)
                break
        else:
            found.append([name])
    return [names for names in found if len(names) > 1]


def summary(layers: Sequence[LayerStability]) -> dict[str, dict[str, float]]:
    """Least, greatest and mean norm2 and trace; the ends of R with the layers they are found in."""
    found = {}
    for name in ("norm2", "trace"):
        values = [getattr(layer, name) for layer in layers]
        found[name] = {"min": min(values), "max": max(values), "mean": sum(values) / len(values)}
    highest = max(layers, key=lambda layer: layer.ratio)
    lowest = min(layers, key=lambda layer: layer.ratio)
    found["ratio"] = {
        "max": highest.ratio,
        "max_layer": highest.layer,
        "min": lowest.ratio,
        "min_layer": lowest.layer,
    }
    return found


def as_dicts(layers: Sequence[LayerStability]) -> list[dict[str, float]]:
    """The layers as plain data."""
    return [asdict(layer) for layer in layers]
