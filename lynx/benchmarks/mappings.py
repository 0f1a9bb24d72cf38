"""Which file shows a clip: mapping files, and the names that an annotation may give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lynx.benchmarks.annotation import read_json
from lynx.benchmarks.sample import Sample
from lynx.errors import InputError
from lynx.media.paths import safe_child

ClipFiles = dict[str, tuple[str, ...]]


def file_name(name: str, place: str) -> str:
    """``name`` as a file below the media root.

    Raises:
        InputError: it is empty, absolute, or holds `..`, a backslash or a NUL.
    """
    try:
        safe_child(Path(), name)
    except InputError as error:
        raise InputError(
            f"{place}: found the file name {name!r}, expected a relative name that stays below the "
            "media root; correct the file"
        ) from error
    return name


def clip_id(name: str, place: str) -> str:
    """``name`` as a clip id, which names files of features: a file name without folders.

    Raises:
        InputError: it is anything else.
    """
    if "/" in file_name(name, place):
        raise InputError(
            f"{place}: found the clip id {name!r}, expected a plain name without folders; correct "
            "the file"
        )
    return name


def clip_of(video: str, place: str) -> str:
    """The clip id of the video of an instruct record, which is an id or a file name `<id>.mp4`."""
    return clip_id(video.removesuffix(".mp4"), place)


def read_mapping(path: Path) -> dict[str, str]:
    """Clip id -> file name below the media root, from a JSON object; ``{}`` if there is no file.

    Raises:
        InputError: it is no JSON object of strings, or a name leaves the media root.
    """
    if not path.is_file():
        return {}
    content = read_json(path)
    if not isinstance(content, dict):
        raise InputError(
            f"{path}: found no JSON object, expected {{clip id: file name}}; use the file as "
            "published"
        )
    for clip, name in content.items():
        if not isinstance(name, str):
            raise InputError(
                f"{path}: clip {clip!r}: found {name!r}, expected a file name; use the file as "
                "published"
            )
        file_name(name, f"{path}: clip {clip!r}")
    return content


def files_of(
    samples: Iterable[Sample], mapping: Mapping[str, str], otherwise: Callable[[str], str]
) -> ClipFiles:
    """The one video of each clip: as ``mapping`` names it, else as ``otherwise(clip)`` does."""
    clips = dict.fromkeys(sample.clip for sample in samples)
    return {clip: (mapping.get(clip, otherwise(clip)),) for clip in clips}


def existing(*paths: Path) -> list[Path]:
    """Those of the optional files that are there, and so were read."""
    return [path for path in paths if path.is_file()]
