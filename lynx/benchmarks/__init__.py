"""Benchmarks: raw annotation to samples, prompt and metric; one file each.

A module here with a `BENCHMARK` is registered.
"""

from __future__ import annotations

from lynx.benchmarks.registry import Benchmark, benchmark_names, get_benchmark, register
from lynx.registry import exported

for _benchmark in exported(__name__, "BENCHMARK"):
    register(_benchmark)

__all__ = ["Benchmark", "benchmark_names", "get_benchmark", "register"]
