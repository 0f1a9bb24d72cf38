"""Names that annotations carry, as paths that stay below their root (architecture, rule 10)."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from lynx.errors import InputError


def safe_child(root: Path, name: str) -> Path:
    """Return `root / name` for a relative name that cannot climb out of `root`.

    The check reads the name only. A link below `root` was put there by whoever owns the data (scans
    are often linked from a shared disk), so links are followed; what an annotation says is not
    trusted.

    Raises:
        InputError: `name` is empty, absolute, or holds `..`, a backslash or a NUL.
    """
    parts = PurePosixPath(name).parts
    climbs = ".." in parts or "\\" in name or "\0" in name
    if not parts or climbs or PurePosixPath(name).is_absolute():
        raise InputError(
            f"name {name!r}: found a path that is not below its root {root}, expected a plain "
            "relative name such as scene0000_00; correct the annotation"
        )
    return root.joinpath(*parts)
