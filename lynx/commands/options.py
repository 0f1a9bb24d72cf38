"""Options that many commands share, and the configuration that they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lynx.errors import InputError

if TYPE_CHECKING:
    from lynx.project import Project

ConfigFiles = Annotated[
    list[Path],
    typer.Option("--config", help="Main configuration; repeat to overlay. [config/config.yaml]"),
]
Overrides = Annotated[
    list[str],
    typer.Option("--set", help="A key of the main configuration, e.g. `--set scale=0.5b`; repeat."),
]
Root = Annotated[Path, typer.Option("--root", help="The project's folder.")]
Group = Annotated[str, typer.Option(help="Benchmarks that share frames and reference, e.g. 3d.")]
BenchmarkName = Annotated[str, typer.Option("--benchmark", help="E.g. scanqa.")]
Variant = Annotated[str, typer.Option(help="E.g. lynx: a name of config/variants.yaml.")]
Ranks = Annotated[
    int | None,
    typer.Option(min=1, help="Processes that share the work, one GPU each. [the scale's gpus]"),
]

HERE = Path()


def load(files: list[Path], overrides: list[str], root: Path, **names: str) -> Project:
    """Read the configuration that the options name; `names` (kind: name) must be in it."""
    from lynx.config.names import require_names
    from lynx.project import Project

    project = Project.load(root, files, read_pairs(overrides))
    require_names(project.experiment, names)
    return project


def read_pairs(overrides: list[str]) -> dict[str, object]:
    """`key=value` texts by key."""
    pairs: dict[str, object] = {}
    for item in overrides:
        key, separator, value = item.partition("=")
        if not separator:
            raise InputError(f"--set {item}: no '=' found, expected key=value, e.g. seed=1")
        pairs[key] = value
    return pairs
