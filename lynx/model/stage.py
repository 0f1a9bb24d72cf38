"""Stage `base`: the checked inventory of a base model's folder, the parent of all that it makes."""

from __future__ import annotations

import json
from pathlib import Path

from tqdm import tqdm

from lynx.artifacts.base_inventory import INVENTORY_NAME, base_problems
from lynx.artifacts.hashing import hash_file
from lynx.errors import InputError
from lynx.model.families.llava_onevision import describe
from lynx.model.weight_files import weight_files
from lynx.project import Project, StageRun


def base_files(folder: Path) -> list[Path]:
    """The files that decide what a base is: configuration, tokenizer, processor, weights."""
    suffixes = (".json", ".safetensors", ".jinja", ".txt")
    about = ("manifest.json", "training.json")
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in suffixes and path.name not in about and path.is_file()
    )


def run_base(project: Project) -> None:
    """Check the configured base folder and publish the hashes of its files."""
    folder = project.experiment.base_folder
    info = describe(folder)
    weight_files(folder)  # refused here, before any stage loads them
    settings: dict[str, object] = {"base": project.experiment.scale.base}
    run = StageRun.prepare(project, "base", project.layout.base, settings, [])
    with run.publish() as draft:
        files = tqdm(base_files(folder), desc="hash base", unit="file", mininterval=1.0)
        inventory = {
            path.name: {"bytes": path.stat().st_size, "sha256": hash_file(path)} for path in files
        }
        text = json.dumps(inventory, indent=1, sort_keys=True) + "\n"
        (draft.folder / INVENTORY_NAME).write_text(text, encoding="utf-8")
        draft.facts.update(grid=info.grid, tokens_per_frame=info.tokens_per_frame)


def require_base(project: Project) -> Path:
    """The base folder, if its files still have the sizes of the inventory."""
    folder = project.experiment.base_folder
    path = project.layout.base / INVENTORY_NAME
    for problem in base_problems(folder, path, deep=False):
        raise InputError(problem)
    return folder
