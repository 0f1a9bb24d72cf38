"""Scored clips whose file is named as one that the adapters of a run met in another set.

Sets take videos from the same sources: Charades lies in LLaVA-Video-178K, AVSD and MVBench. Below
one root the same clip is refused (``lynx.benchmarks.splits``). Below another the name of a file is
all there is to go by, and two files may bear one name by chance, so such clips are counted and
named beside the score, and a reader judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from lynx.benchmarks.stage import read_split, training_clips, unique_clips
from lynx.media.clip_table import CLIPS_NAME, read_clip_table
from lynx.project import Project

SHOWN = 10
"""How many such clips a score names."""


def shared_names(
    project: Project, benchmark: str, split: str, met: Iterable[Sequence[str]]
) -> dict[str, object]:
    """How many clips of a split are named as a file that a stage trained on, and the first ones.

    ``met`` are the sources of each stage (``training_sources``). Names are compared without folder
    and suffix. Scenes of the 3D sets are folders of one root, and are never among them.
    """
    trained = _trained_names(project, benchmark, met)
    scored = _names(project, benchmark, unique_clips([read_split(project, benchmark, split)]))
    shared = {clip: trained[name] for clip, name in scored.items() if name in trained}
    first = list(shared.items())[:SHOWN]
    return {"clips": len(shared), "first": {clip: list(other) for clip, other in first}}


def _trained_names(
    project: Project, benchmark: str, met: Iterable[Sequence[str]]
) -> dict[str, tuple[str, str]]:
    """Name of a file -> (set, clip) of the first training clip in it, of sets below other roots."""
    found: dict[str, tuple[str, str]] = {}
    for sources in dict.fromkeys(map(tuple, met)):
        clips = training_clips(project, sources)
        for source in dict.fromkeys(sources):
            if project.clips_root(source) == project.clips_root(benchmark):
                continue
            own = [clip for name, clip in clips if name == source]
            for clip, name in _names(project, source, own).items():
                found.setdefault(name, (source, clip))
    return found


def _names(project: Project, benchmark: str, clips: Iterable[str]) -> dict[str, str]:
    """Clip -> name of its video's file, of those whose table names files."""
    folder = project.layout.data(benchmark)
    if not (folder / CLIPS_NAME).is_file():
        return {}
    table = read_clip_table(folder)
    return {clip: PurePosixPath(table[clip].files[0]).stem for clip in clips}
