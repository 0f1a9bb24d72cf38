"""Benchmarks: raw annotation to samples, prompt and metric; one file each.

A module here with a `BENCHMARK` is registered.
"""

from __future__ import annotations

import importlib
import pkgutil

from lynx.benchmarks.registry import Benchmark, benchmark_names, get_benchmark, register

for _module in sorted(item.name for item in pkgutil.iter_modules(__path__)):
    if _module == "stage":  # it reads the configuration and runs a stage; the others need neither
        continue
    _found = getattr(importlib.import_module(f"{__name__}.{_module}"), "BENCHMARK", None)
    if _found is not None:
        register(_found)

__all__ = ["Benchmark", "benchmark_names", "get_benchmark", "register"]
