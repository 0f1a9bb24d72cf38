"""Subtitle files (.srt) and what of them is on screen at given moments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lynx.benchmarks.sample import Subtitle
from lynx.errors import InputError

_TIME = r"(\d+):(\d\d):(\d\d)[,.](\d{1,3})"
_SPAN = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}.*")
_TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")


def read_subtitles(path: Path) -> tuple[Subtitle, ...]:
    """The subtitles of a file by their start, without mark-up; those that are blank are left out.

    Raises:
        InputError: it is not UTF-8, or a line that should give times does not, as
            ``00:00:01,000 --> 00:00:02,500`` does.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: found text that is not UTF-8 ({error}), expected subtitles as published; get "
            "the file again"
        ) from error
    found = [*_subtitles(text.splitlines(), path)]
    return tuple(sorted((item for item in found if item.text), key=lambda item: item.start))


def _subtitles(lines: Sequence[str], path: Path) -> Iterator[Subtitle]:
    """One for each line of times; what follows it is said, up to the next one's number.

    Blank lines part nothing: published files have them within a subtitle.
    """
    spans = {number: span for number, line in enumerate(lines) if (span := _SPAN.fullmatch(line))}
    first = min(spans, default=len(lines))
    for number, line in enumerate(lines):
        counts_or_blank = not line.strip() or line.strip().isdecimal()
        if number not in spans and ("-->" in line or (number < first and not counts_or_blank)):
            raise InputError(
                f"{path}, line {number + 1}: found {line!r}, expected times such as "
                "00:00:01,000 --> 00:00:02,500; get the file again"
            )
    ends = [*spans, len(lines)]
    for (number, span), end in zip(spans.items(), ends[1:], strict=True):
        said = list(lines[number + 1 : end])
        if end in spans and said and said[-1].strip().isdecimal():
            said.pop()  # the number of the next
        text = " ".join(_TAG.sub("", " ".join(said)).split())
        times = [int(part) for part in span.groups()]
        yield Subtitle(start=_seconds(*times[:4]), end=_seconds(*times[4:]), text=text)


def _seconds(hours: int, minutes: int, seconds: int, thousandths: int) -> float:
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def on_screen(subtitles: Sequence[Subtitle], moments: Sequence[float]) -> tuple[Subtitle, ...]:
    """Those that are shown at one of the moments (seconds), in their order."""
    return tuple(
        item for item in subtitles if any(item.start <= moment <= item.end for moment in moments)
    )
