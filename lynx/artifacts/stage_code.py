"""Which code makes the results of which stage, and whether it changed without a new version.

The committed record beside this file holds a hash of every module that a stage runs and the version
that each stage had then. Comments, docstrings and layout are no part of a hash. `make lint`
compares; `python -m lynx.artifacts.stage_code` renews the record.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grimp

from lynx.artifacts.publish import write_atomic
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.errors import InputError

RECORD = Path("lynx/artifacts/stage_code.json")
COMMAND = "python -m lynx.artifacts.stage_code"
# Those that a stage starts from; lmms-eval finds the plug-in by its entry point.
STAGE_MODULES: Mapping[str, tuple[str, ...]] = {
    "world": ("lynx.demo.stage",),
    "train-base": ("lynx.demo.stage",),
    "base": ("lynx.model.stage",),
    "data": ("lynx.benchmarks.stage",),
    "frames": ("lynx.media.stage",),
    "reference": ("lynx.align.stage",),
    "geometry": ("lynx.align.measures",),
    "stability": ("lynx.align.measures",),
    "align": ("lynx.align.stage",),
    "features": ("lynx.features.stage",),
    "sft": ("lynx.sft.stage",),
    "predict": ("lynx.evaluate.stage",),
    "score": ("lynx.evaluate.stage",),
    "lmms": ("lynx.evaluate.lmms.stage", "lynx.evaluate.lmms.model"),
}
REGISTRY = "lynx.registry"
# They say what is to be made and write down what was, and compute nothing of it.
BOOKKEEPING = ("lynx.artifacts", "lynx.config", "lynx.errors", "lynx.project", REGISTRY)


@dataclass(frozen=True)
class StageCode:
    """Modules by stage, the hash of each module's code, and the stages' versions."""

    members: Mapping[str, frozenset[str]]
    modules: Mapping[str, str]
    versions: Mapping[str, int]


def read_stage_code(root: Path) -> StageCode:
    """What the modules under `root`/lynx are now."""
    graph = grimp.build_graph("lynx", exclude_type_checking_imports=True, cache_dir=None)
    # A package that asks the registry takes up its modules by name: no import shows them.
    packages = {
        name: {each for each in graph.find_children(name) if not each.endswith(".stage")}
        for name in graph.find_modules_that_directly_import(REGISTRY)
        if graph.find_children(name)
    }

    def reached(starts: tuple[str, ...]) -> frozenset[str]:
        found: set[str] = set()
        new = set(starts)
        while new:
            found |= new
            for package, modules in packages.items():
                if package in new:
                    new |= modules
            new = new.union(*(graph.find_modules_directly_imported_by(name) for name in new))
            new = {name for name in new - found if not _keeps_books(name)}
        return frozenset(found)

    members = {stage: reached(starts) for stage, starts in STAGE_MODULES.items()}
    names = sorted(frozenset().union(*members.values()))
    modules = {name: _code_hash(root, name) for name in names}
    return StageCode(members, modules, STAGE_VERSIONS)


def _keeps_books(name: str) -> bool:
    return any(f"{name}.".startswith(f"{each}.") for each in BOOKKEEPING)


def _code_hash(root: Path, name: str) -> str:
    tree = ast.parse(module_file(root, name).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def module_file(root: Path, name: str) -> Path:
    """The file of a module or package."""
    path = root / Path(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def changed_modules(
    now: StageCode, modules: Mapping[str, str], versions: Mapping[str, int]
) -> dict[str, list[str]]:
    """By stage whose version is the recorded one: the recorded modules that are others now.

    A module that is not recorded is a new benchmark or modality, or what a changed one imports.
    """
    changed = {name for name, code in now.modules.items() if modules.get(name, code) != code}
    return {
        stage: found
        for stage, members in now.members.items()
        if now.versions[stage] == versions.get(stage) and (found := sorted(members & changed))
    }


def check(root: Path) -> None:
    """Raises InputError if code changed and its stage's version did not, or the record is older."""
    now, (modules, versions) = read_stage_code(root), _read_record(root)
    _require_announced(now, modules, versions)
    if older := [stage for stage in now.versions if now.versions[stage] != versions.get(stage)]:
        raise InputError(
            f"{RECORD}: version {versions.get(older[0])} of stage {older[0]}, expected "
            f"{now.versions[older[0]]} as in lynx/artifacts/stages.py; run `{COMMAND}`"
        )


def record(root: Path, *, same_results: bool) -> None:
    """Write the record anew; refuses what `check` refuses, unless results are said to be equal."""
    now = read_stage_code(root)
    if not same_results and (root / RECORD).is_file():
        _require_announced(now, *_read_record(root))
    text = json.dumps({"versions": dict(now.versions), "modules": dict(now.modules)}, indent=1)
    write_atomic(root / RECORD, text + "\n")


def _read_record(root: Path) -> tuple[dict[str, str], dict[str, int]]:
    try:
        found = json.loads((root / RECORD).read_text(encoding="utf-8"))
        return dict(found["modules"]), dict(found["versions"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{RECORD}: found no readable record ({error}), expected modules and versions; take it "
            "from Git again"
        ) from error


def _require_announced(
    now: StageCode, modules: Mapping[str, str], versions: Mapping[str, int]
) -> None:
    found = changed_modules(now, modules, versions)
    if found:
        names = sorted(frozenset().union(*found.values()))
        stages = ", ".join(f"{stage} ({now.versions[stage]})" for stage in found)
        raise InputError(
            f"{', '.join(str(module_file(Path(), name)) for name in names)}: the code changed but "
            f"not the version of {stages}, expected a higher one in lynx/artifacts/stages.py where "
            f"results change; raise it and run `{COMMAND}`, with --same-results for the others"
        )


def main() -> int:
    """Renew or check the record of the code in this folder; 2 and a sentence for a wrong one."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="write nothing; exit code 2 if wrong")
    action.add_argument(
        "--same-results",
        action="store_true",
        help="changed code of stages that keep their version makes what it made before",
    )
    chosen = parser.parse_args()
    try:
        if chosen.check:
            check(Path())
        else:
            record(Path(), same_results=chosen.same_results)
    except InputError as error:
        print(f"lynx: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
