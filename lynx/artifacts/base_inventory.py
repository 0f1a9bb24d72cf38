"""A base model's files against the inventory that stage `base` made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from lynx.artifacts.hashing import hash_file

INVENTORY_NAME = "inventory.json"


def base_problems(folder: Path, inventory: Path, *, deep: bool) -> Iterator[str]:
    """A sentence for each file of `folder` that has another size, or with `deep` another sha256."""
    try:
        listed = json.loads(inventory.read_bytes())
    except ValueError as error:
        yield f"{inventory}: not JSON ({error}); run the base rule again"
        return
    advice = "the base was changed since, so restore it or delete the inventory to start anew"
    for name, entry in listed.items():
        file = folder / name
        size = file.stat().st_size if file.is_file() else None
        if size != entry["bytes"]:
            yield (
                f"{file}: {size} bytes found, {entry['bytes']} expected from {inventory}; {advice}"
            )
        elif deep and (found := hash_file(file)) != entry["sha256"]:
            yield (
                f"{file}: sha256 {found[:12]}... found, {entry['sha256'][:12]}... expected from "
                f"{inventory}; {advice}"
            )
