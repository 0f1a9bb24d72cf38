"""Whether every room that a 3D benchmark asks about is on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lynx.benchmarks.sample import Sample
from lynx.errors import InputError
from lynx.media.paths import safe_child


def require_scenes(samples: Sequence[Sample], scenes_root: Path) -> None:
    """Refuse samples whose scene has no folder below ``scenes_root``.

    Raises:
        InputError: names the first such scene and question, and counts both kinds.
    """
    scenes = {sample.clip for sample in samples}
    absent = {scene for scene in scenes if not safe_child(scenes_root, scene).is_dir()}
    unseen = [sample for sample in samples if sample.clip in absent]
    if unseen:
        first = unseen[0]
        raise InputError(
            f"{scenes_root / first.clip}: scene folder not found, expected one because question "
            f"{first.id!r} is about it ({len(unseen)} of {len(samples)} questions and "
            f"{len(absent)} of {len(scenes)} scenes are without); export the missing ScanNet scans "
            "or correct the path of the scenes"
        )
