"""Stage `base`: the checked inventory of a base model's folder, the parent of all that it makes."""

from __future__ import annotations

import json
from pathlib import Path

from tqdm import tqdm

from lynx.artifacts.hashing import hash_file
from lynx.errors import InputError
from lynx.model.families.llava_onevision import describe
from lynx.project import Project, StageRun

INVENTORY_NAME = "inventory.json"


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
    inventory = json.loads(path.read_text(encoding="utf-8"))
    for name, entry in inventory.items():
        file = folder / name
        found = file.stat().st_size if file.is_file() else None
        if found != entry["bytes"]:
            raise InputError(
                f"{file}: {found} bytes found, {entry['bytes']} expected from {path}; the base was "
                "changed since, so restore it or delete the inventory to start anew"
            )
    return folder
