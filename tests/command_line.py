"""`lynx` called in the test's own process, which saves the imports of a new one."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Outcome:
    """What a user sees of a command."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """The last line of the error output; a progress bar may stand before it."""
        return self.err.strip().splitlines()[-1].rpartition("\r")[2]


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> Outcome:
    """Run the command line as a shell would."""
    from lynx.cli import main

    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["lynx", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    code = caught.value.code
    captured = capsys.readouterr()
    return Outcome(code if isinstance(code, int) else 0, captured.out, captured.err)
