"""Which project a path belongs to, and where in it the path lies."""

from __future__ import annotations

import os
from pathlib import Path

from lynx.config.loading import DEFAULT
from lynx.errors import InputError


def find_root(path: Path) -> Path:
    """The nearest folder at or above `path` that holds the configuration; else where we are.

    It is given as `.` where it is the working folder, so that sentences name short paths.
    """
    here = Path.cwd()
    place = Path(os.path.abspath(path))  # links are kept: runs/ may be one to a larger disk
    for folder in (place, *place.parents):
        if (folder / DEFAULT).is_file():
            return Path() if folder == here else folder
    return Path()


def below(root: Path, path: Path) -> Path:
    """`path` relative to the project's root.

    Raises InputError for one that lies outside.
    """
    found = os.path.relpath(path, root)
    if Path(found).parts[:1] == ("..",):
        raise InputError(
            f"{path}: lies outside the project {os.path.abspath(root)}; give --root, or artefacts "
            "of one project at a time"
        )
    return Path(found)
