"""Which files of a base folder hold its weights."""

from __future__ import annotations

import json
from pathlib import Path

from lynx.errors import InputError

ONE_FILE, INDEX = "model.safetensors", "model.safetensors.index.json"


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a base folder, each of which is there.

    Raises:
        InputError: one is absent, or the index that names several is damaged or leads elsewhere.
    """
    index = folder / INDEX
    paths = [folder / name for name in _listed(index)] if index.is_file() else [folder / ONE_FILE]
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: missing, expected the base's weights; download it again")
    return paths


def _listed(index: Path) -> list[str]:
    """The names in the index, sorted: of files beside it, as every published base has them."""
    try:
        weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        names = sorted(set(weight_map.values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{index}: found no list of weight files ({type(error).__name__}: {error}), expected "
            "the file of each weight under weight_map; download the file again"
        ) from error
    for name in names or [""]:
        if not isinstance(name, str) or not _is_beside(name):
            raise InputError(
                f"{index}: found {name!r} as the file of a weight, expected the name of a "
                "safetensors file in the same folder; download the file again"
            )
    return names


def _is_beside(name: str) -> bool:
    path = Path(name)
    return path.name == name and path.suffix == ".safetensors" and not {"\\", "\0"} & set(name)
