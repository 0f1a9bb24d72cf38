"""The locked environment: pins of `envs/*.lock`, direct requirements of `envs/*.in`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lynx.errors import InputError


def read_pins(lock: Path) -> dict[str, str]:
    """Version by canonical package name, in the lock's order, for those meant for this platform.

    Raises `InputError` if the file is missing or an entry is not pinned with `==`.
    """
    pins: dict[str, str] = {}
    for requirement in _requirements(lock):
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        exact = [item.version for item in requirement.specifier if item.operator == "=="]
        if len(exact) != 1:
            raise InputError(
                f"{lock}: {requirement} is not pinned to one version; run `make lock` again"
            )
        pins[canonicalize_name(requirement.name)] = exact[0]
    return pins


def direct_requirements(source: Path) -> list[str]:
    """Canonical names that a requirements file asks for itself or through `-r`, in its order.

    Raises `InputError` if a file is missing or a line is no requirement.
    """
    names: list[str] = []
    for line in _lines(source):
        if line.startswith("-r "):
            names += direct_requirements(source.parent / line.removeprefix("-r ").strip())
        else:
            names.append(canonicalize_name(_parse(line, source).name))
    return names


def _requirements(lock: Path) -> Iterator[Requirement]:
    for line in _lines(lock):
        if not line.startswith("--hash"):
            yield _parse(line.removesuffix("\\").strip(), lock)


def _lines(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file, expected the project's requirements there; restore it with "
            "`git checkout -- envs`"
        ) from None
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].strip()
        if line:
            yield line


def _parse(line: str, path: Path) -> Requirement:
    try:
        return Requirement(line)
    except InvalidRequirement:
        raise InputError(
            f"{path}: {line!r} is not a requirement like `name==1.2`; correct the line"
        ) from None
