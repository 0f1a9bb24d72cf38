"""`python -m benchmarks.run [--quick]`: check, time and weigh every path; a table and JSON."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers

from benchmarks.memory import measure_peak
from benchmarks.paths import MEASURES, PLAIN, Measure, differences, open_paths
from benchmarks.timing import Timing, interleave
from benchmarks.workbench import Workbench, prepare, write_random_base

TARGET = Path("build/measurements.json")
HEADER = ("measure", "path", "result differs by", "times plain", "of any round", "peak memory")
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Size:
    """How much is measured: scenes of about eleven questions, and rounds of every path."""

    scenes: int
    rounds: int


FULL, QUICK = Size(scenes=10, rounds=3), Size(scenes=3, rounds=1)


@dataclass(frozen=True)
class Outcome:
    """What one measure found."""

    measure: Measure
    differences: dict[str, float]
    timing: Timing
    peaks: dict[str, dict[str, int]]

    def added(self, path: str) -> int:
        """Bytes that a path needs beyond the imported libraries."""
        return self.peaks[path]["peak"] - self.peaks[path]["imported"]

    def record(self) -> dict[str, object]:
        """The JSON entry: absolute values of this machine, and the ratios."""
        return {
            "unit": self.measure.unit,
            "units": self.timing.units,
            "paths": {
                path: {
                    "seconds": self.timing.seconds[path],
                    "per_second": self.timing.rate(path),
                    "peak_bytes": self.peaks[path],
                    "ratio": self.timing.ratio(path, PLAIN),
                    "ratio_of_rounds": self.timing.spread(path, PLAIN),
                    "memory_ratio": self.added(path) / self.added(PLAIN),
                    "difference": self.differences.get(path, 0.0),
                }
                for path in self.measure.paths
            },
        }

    def rows(self, name: str) -> list[tuple[str, ...]]:
        """The table's rows: every path but the plain one, as ratios to it."""
        return [
            (
                f"{name} ({self.measure.unit}/s)",
                path,
                f"{found:.1e}",
                f"{self.timing.ratio(path, PLAIN):.1f}",
                "{:.1f} to {:.1f}".format(*self.timing.spread(path, PLAIN)),
                f"{self.added(path) / self.added(PLAIN):.2f}",
            )
            for path, found in self.differences.items()
        ]


def run_measure(name: str, bench: Workbench, rounds: int) -> Outcome:
    """Check one measure's paths against each other, then time them in turn, then weigh them."""
    measure = MEASURES[name]
    units, opened = measure.units(bench), open_paths(measure, bench)
    found = differences(measure, opened)  # the first calls, so that none of them is timed
    timing = interleave(opened, units, rounds)
    threads = torch.get_num_threads()
    peaks = {path: measure_peak(name, path, bench.folder, threads) for path in measure.paths}
    return Outcome(measure, found, timing, peaks)


def markdown(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as a Markdown table under the header."""
    widths = [max(len(row[i]) for row in (HEADER, *rows)) for i in range(len(HEADER))]
    lines = [HEADER, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "| "
        + " | ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def environment() -> dict[str, object]:
    """What the numbers depend on besides the code."""
    return {
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "transformers": transformers.__version__,
    }


def main() -> None:
    """Measure everything and write what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few scenes, one round")
    parser.add_argument("--threads", type=int, default=1, help="torch's threads (default 1)")
    parser.add_argument("--json", type=Path, default=TARGET, help=f"default {TARGET}")
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else FULL
    torch.set_num_threads(arguments.threads)
    logging.basicConfig(level=logging.WARNING)
    transformers.logging.set_verbosity_error()
    records, rows = {}, []
    with tempfile.TemporaryDirectory() as folder:
        write_random_base(Path(folder) / "base")
        bench = prepare(Path(folder), scenes=size.scenes)
        for name in MEASURES:
            print(f"{name} ...", flush=True)
            outcome = run_measure(name, bench, size.rounds)
            records[name] = outcome.record()
            rows += outcome.rows(name)
    report = {"environment": environment(), "quick": arguments.quick, "measures": records}
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"\n{markdown(rows)}\n\nWritten to {arguments.json}")


if __name__ == "__main__":
    main()
