"""Benchmarks: raw annotation to samples, prompt and metric; one file each, one line here."""

from __future__ import annotations

from lynx.benchmarks.registry import Benchmark, benchmark_names, get_benchmark, register
from lynx.benchmarks.scanqa import SCANQA
from lynx.benchmarks.sqa3d import SQA3D

register(SCANQA)
register(SQA3D)

__all__ = ["Benchmark", "benchmark_names", "get_benchmark", "register"]
