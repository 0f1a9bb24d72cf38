"""Scores as the score rule writes them, below a project of which nothing was run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from lynx.artifacts.lineage import TOKEN_STAGES
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.evaluate.metrics_file import write_report
from tests.project_copy import ROOT

SAMPLES = 10
NOT_ALIGNED = ("video-only", "plain-tower", "repeated-video")
WITHOUT_X = ("zero-shot", "video-only", "repeated-video")


def bare_project(root: Path) -> Path:
    """The configuration alone."""
    shutil.copytree(ROOT / "config", root / "config")
    return root


def write_score(
    root: Path,
    benchmark: str,
    metrics: dict[str, float],
    *,
    variant: str = "lynx",
    seed: int = 0,
    scale: str = "demo",
    groups: dict[str, dict[str, dict[str, float]]] | None = None,
    **changes: Any,
) -> Path:
    """Write one run's metrics.json with values as fractions; `changes` replace other fields."""
    trained, aligned = variant != "zero-shot", variant not in ("zero-shot", *NOT_ALIGNED)
    runs, place = f"runs/{scale}", f"{variant}/{benchmark}/seed{seed}"
    view: dict[str, Any] = {"frames": 4, "sampling": "pose"}
    if variant not in WITHOUT_X:
        view["drawing"] = {"modality": "depth"}
    made = {f"{runs}/predictions/{place}": ("predict", 360.0, 512)}
    if trained:
        made[f"{runs}/sft/{place}"] = ("sft", 900.0, 2048)
    if aligned:
        made[f"{runs}/align/3d/seed{seed}"] = ("align", 3600.0, 1024)
        made[f"{runs}/reference/3d"] = ("reference", 0.0, 512)
    report: dict[str, Any] = {
        "benchmark": benchmark,
        "split": "test",
        "scale": scale,
        "variant": variant,
        "recipe": "demo",
        "seed": seed,
        "synthetic": scale == "demo",
        "metrics": _counted(metrics, SAMPLES),
        "groups": {
            grouping: {name: _counted(values, 1) for name, values in found.items()}
            for grouping, found in (groups or {}).items()
        },
        "samples": SAMPLES,
        "missing": 0,
        "empty": 0,
        "predictions": "1a" * 32,
        "parents": {"base": "2b" * 32, **({"sft": "3c" * 32} if trained else {})},
        "data": "4d" * 32,
        "stage_version": STAGE_VERSIONS["score"],
        "versions": {"torch": "2.11.0"},
        "settings": {"view": view},
        "visual_tokens": 130,
        "clips": {"all": 40, "unreadable": 0},
        "shared_names": {"clips": 0, "first": {}},
        "prompt": "<image>\nWhat | is this?",
        "ranks": {**({"vision": 16} if aligned else {}), **({"language": 32} if trained else {})},
        "parameters": {
            **({"vision": 1_450_000} if aligned else {}),
            **({"language": 250_000} if trained else {}),
        },
        "artefacts": {
            folder: {
                "stage": stage,
                "content": "5e" * 32,
                **({"videos": 200} if stage == "reference" else {}),
            }
            for folder, (stage, _, _) in sorted(made.items())
            if stage in TOKEN_STAGES
        },
        "cost": {
            folder: {
                "stage": stage,
                "seconds": seconds,
                "attempts": 1,
                "processes": 2,
                "peak_memory_mb": memory,
                "device": "cpu, 1 threads",
            }
            for folder, (stage, seconds, memory) in sorted(made.items())
        },
        **changes,
    }
    path = root / f"results/{scale}/{variant}/{benchmark}/seed{seed}/metrics.json"
    write_report(path, report)
    return path


def _counted(values: dict[str, float], count: int) -> dict[str, dict[str, float | int]]:
    return {name: {"value": value, "count": count} for name, value in values.items()}
