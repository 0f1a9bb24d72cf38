"""Programs of a cluster that is not there: small scripts on PATH with fixed answers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

RECORDING = """#!{python}
import json, sys
with open({record!r}, "a") as stream:
    stream.write(json.dumps(sys.argv[1:]) + "\\n")
sys.exit(1)
"""


def answering(folder: Path, name: str, answer: str, code: int = 0) -> None:
    """A program that prints `answer`; on the error output if it fails."""
    stream = " >&2" if code else ""
    text = f"{answer}\n" if answer else ""
    _write(folder / name, f"#!/bin/sh\ncat{stream} <<'END'\n{text}END\nexit {code}\n")


def failing_record(folder: Path, name: str) -> Path:
    """A program that fails after it has noted its arguments: a line of JSON for each call."""
    record = folder / f"{name}.jsonl"
    _write(folder / name, RECORDING.format(python=sys.executable, record=str(record)))
    return record


def use(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Put the folder first on PATH."""
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
