"""A copy of the committed configuration that a test may spoil."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from lynx.config.experiment import Experiment
from lynx.config.loading import load_experiment

ROOT = Path(__file__).parents[2]
MAIN = Path("config/config.yaml")
FAMILY = ["scanqa", "sqa3d"]
FAMILY_LINE = f"benchmarks: [{', '.join(FAMILY)}]"


def listed(folder: str) -> str:
    """The names that the files of `config/<folder>` bring, as a sentence lists what is known."""
    return ", ".join(sorted(path.stem for path in (ROOT / "config" / folder).glob("*.yaml")))


def listed_variants() -> str:
    """Those of `config/variants.yaml`, in the same way."""
    text = (ROOT / "config/variants.yaml").read_text(encoding="utf-8")
    return ", ".join(sorted(yaml.safe_load(text)))


def listed_groups() -> str:
    """The groups of the benchmarks' files, in the same way."""
    files = (ROOT / "config/benchmarks").glob("*.yaml")
    return ", ".join(sorted({yaml.safe_load(path.read_text("utf-8"))["group"] for path in files}))


def copy_config(target: Path) -> Path:
    """Copy `config/` below `target` and return `target`, which is then a project's root.

    Its main file runs the 3D family alone, so that what a test spoils is met first.
    """
    shutil.copytree(ROOT / "config", target / "config")
    text = (target / MAIN).read_text(encoding="utf-8")
    chosen = re.sub(r"^benchmarks: .*?(?=  #)", FAMILY_LINE, text, flags=re.MULTILINE)
    (target / MAIN).write_text(chosen, encoding="utf-8")
    return target


def replace(root: Path, name: str, old: str, new: str) -> None:
    """Replace the first occurrence of some text in a file; the text must be there."""
    path = root / name
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{name} holds no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def load(overrides: Mapping[str, object] | None = None, root: Path = ROOT) -> Experiment:
    """The experiment of the 3D family, or of a root's own main file, with some keys set."""
    chosen = {"benchmarks": FAMILY} if root == ROOT else {}
    return load_experiment([MAIN], {**chosen, **(overrides or {})}, root)
