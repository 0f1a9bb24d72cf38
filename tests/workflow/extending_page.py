"""`docs/extending.md` as a reader follows it: the files that it shows, and the commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.project_copy import ROOT

_CODE = r":\n\n```\w+\n(.*?)^```$"
FILE = re.compile(r"^`([\w/.]+)`" + _CODE, re.MULTILINE | re.DOTALL)
ADDITION = re.compile(r"^At the end of `([\w/.]+)`" + _CODE, re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^    ((?:lynx|python|snakemake) .*)$", re.MULTILINE)


def write_files(root: Path) -> list[str]:
    """Write the page's files into a copy of the project, and add what it adds to others.

    Returns the names of the new ones; AssertionError if one is there already.
    """
    written = dict(FILE.findall(_page()))
    for name, text in written.items():
        assert not (root / name).exists(), name
        (root / name).write_text(text, encoding="utf-8")
    for name, text in ADDITION.findall(_page()):
        old = (root / name).read_text(encoding="utf-8")
        (root / name).write_text(f"{old}\n\n{text}", encoding="utf-8")
    return list(written)


def commands() -> list[list[str]]:
    """Every command line of the page, in its order, as a shell would split it."""
    return [shlex.split(line) for line in COMMAND.findall(_page())]


def _page() -> str:
    return (ROOT / "docs/extending.md").read_text(encoding="utf-8")
