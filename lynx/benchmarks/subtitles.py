"""Subtitle files (.srt) and what of them is on screen at given moments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lynx.benchmarks.sample import Subtitle
from lynx.errors import InputError

_TIME = r"(\d+):(\d\d):(\d\d)[,.](\d{1,3})"
_SPAN = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}.*")
_TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")


def read_subtitles(path: Path) -> tuple[Subtitle, ...]:
    """The subtitles of a file by their start, without mark-up; those that are blank are left out.

    Raises:
        InputError: it is not UTF-8, or a block has no line of times such as
            ``00:00:01,000 --> 00:00:02,500``.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: found text that is not UTF-8 ({error}), expected subtitles as published; get "
            "the file again"
        ) from error
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    found = [_subtitle(block, path) for block in blocks]
    return tuple(sorted((item for item in found if item.text), key=lambda item: item.start))


def _subtitle(block: str, path: Path) -> Subtitle:
    lines = block.strip().splitlines()
    spans = [(number, _SPAN.fullmatch(line)) for number, line in enumerate(lines[:2])]
    for number, span in spans:
        if span is not None:
            times = [int(part) for part in span.groups()]
            said = _TAG.sub("", " ".join(lines[number + 1 :]))
            text = " ".join(said.split())
            return Subtitle(start=_seconds(*times[:4]), end=_seconds(*times[4:]), text=text)
    raise InputError(
        f"{path}: found the subtitle {lines[0]!r} without times, expected a line such as "
        "00:00:01,000 --> 00:00:02,500; get the file again"
    )


def _seconds(hours: int, minutes: int, seconds: int, thousandths: int) -> float:
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def on_screen(subtitles: Sequence[Subtitle], moments: Sequence[float]) -> tuple[Subtitle, ...]:
    """Those that are shown at one of the moments (seconds), in their order."""
    return tuple(
        item for item in subtitles if any(item.start <= moment <= item.end for moment in moments)
    )
