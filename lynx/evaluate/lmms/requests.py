"""What one of lmms-eval's requests asks: a video, perhaps a part of it, and the text behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lynx.errors import InputError
from lynx.media.clip_table import Bounds

NO_END = 1e9
"""The end of a part that runs to the end of its video, in seconds: later than any."""

GREEDY: Mapping[str, object] = {"do_sample": False, "num_beams": 1, "temperature": 0}
"""The generation keys that would change a greedy answer, and the only values they may have."""


@dataclass(frozen=True)
class Generation:
    """How long an answer may be, and the texts at which it ends."""

    max_new_tokens: int
    until: tuple[str, ...]

    @classmethod
    def read(cls, task: str, kwargs: Mapping[str, Any], default: int) -> Generation:
        """A task's generation settings; `default` new tokens where it names no number.

        Raises:
            InputError: they ask for anything but the greedy answer.
        """
        for key, expected in GREEDY.items():
            found = kwargs.get(key)
            if found is not None and found != expected:
                raise InputError(
                    f"task {task}: found {key}={found}, expected {key}={expected} because answers "
                    "are greedy; leave it out of --gen_kwargs"
                )
        until = kwargs.get("until") or ()
        stops = (until,) if isinstance(until, str) else tuple(until)
        return cls(int(kwargs.get("max_new_tokens", default)), stops)

    def cut(self, text: str) -> str:
        """The answer up to the first text that ends it."""
        for stop in self.until:
            text = text.split(stop, 1)[0]
        return text.strip()


@dataclass(frozen=True)
class Shown:
    """A video file, or the part of it between two moments."""

    path: Path
    bounds: Bounds | None


def read_messages(task: str, messages: Sequence[Mapping[str, Any]]) -> tuple[Shown, str]:
    """The one video of a user turn, and its text.

    Raises:
        InputError: there is another turn, or not exactly one video, or a medium of another kind.
    """
    roles = [str(message["role"]) for message in messages]
    if roles != ["user"]:
        raise InputError(
            f"task {task}: found turns of {', '.join(roles) or 'nobody'}, expected one of the user "
            "because the adapter was trained so; run tasks without few-shot examples, rounds or a "
            "system instruction"
        )
    content = list(messages[0]["content"])
    kinds = [str(item["type"]) for item in content]
    if sorted(set(kinds)) != ["text", "video"] or kinds.count("video") != 1:
        raise InputError(
            f"task {task}: found {', '.join(kinds) or 'nothing'} in a question, expected one video "
            "and text; choose a task about single videos"
        )
    video = next(item for item in content if item["type"] == "video")
    text = "".join(str(item["text"]) for item in content if item["type"] == "text")
    return _shown(task, video), text


def _shown(task: str, item: Mapping[str, Any]) -> Shown:
    """A video by its path, or a mapping with path and bounds in either of lmms-eval's spellings."""
    found = item["url"]
    inner: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    path = inner.get("url") or inner.get("path") or inner.get("video") if inner else found
    if not isinstance(path, str | Path):
        raise InputError(
            f"task {task}: found a video of type {type(path).__name__}, expected the path of a "
            "file; choose a task whose videos are files"
        )
    # lmms-eval's own keys are there always, with nothing in them where the mapping has the part.
    start, end = item.get("start_time"), item.get("end_time")
    start = inner.get("video_start") if start is None else start
    end = inner.get("video_end") if end is None else end
    if start is None and end is None:
        return Shown(Path(path), None)
    return Shown(Path(path), (float(start or 0.0), NO_END if end is None else float(end)))
