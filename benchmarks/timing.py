"""Times of several paths to the same result, taken in turn so that a slow minute hits them all."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Timing:
    """Seconds of each path, one entry per round, for the same `units` of work."""

    units: int
    seconds: dict[str, list[float]]

    def rate(self, path: str) -> float:
        """Units per second of a path, from its median time."""
        return self.units / median(self.seconds[path])

    def ratio(self, path: str, plain: str) -> float:
        """How many times faster `path` is than `plain`: the ratio of their median times."""
        return median(self.seconds[plain]) / median(self.seconds[path])

    def spread(self, path: str, plain: str) -> tuple[float, float]:
        """The lowest and the highest ratio of any one round."""
        pairs = zip(self.seconds[plain], self.seconds[path], strict=True)
        ratios = [slow / fast for slow, fast in pairs]
        return min(ratios), max(ratios)


def interleave(paths: Mapping[str, Callable[[], object]], units: int, rounds: int) -> Timing:
    """Run every path once per round, in the order given: A B A B ...

    The caller has run each path before, so that first-call costs are not in the times. Garbage is
    collected before each run and not during it.
    """
    seconds: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(rounds):
        for name, run in paths.items():
            gc.collect()
            gc.disable()
            try:
                start = time.perf_counter()
                run()
                seconds[name].append(time.perf_counter() - start)
            finally:
                gc.enable()
    return Timing(units, seconds)
