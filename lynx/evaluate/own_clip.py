"""A clip that stands in no inventory: inspected, or prepared, on the spot."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lynx.config.stages import RgbdFrames, VideoFiles
from lynx.errors import InputError
from lynx.media.clip import Clip, RgbdClip
from lynx.media.clip_table import Bounds
from lynx.media.inventory import inspect_clip
from lynx.media.posed_rgbd import open_folder
from lynx.media.square_frames import prepare_scene
from lynx.media.video_clip import VideoClip
from lynx.project import Project


@contextmanager
def open_own_clip(
    project: Project, benchmark: str, files: Sequence[Path], bounds: Bounds | None = None
) -> Iterator[Clip]:
    """A clip as a benchmark's are opened; of videos perhaps the part between two moments.

    Raises:
        InputError: a file cannot be used.
    """
    group = project.experiment.benchmarks[benchmark].group
    settings = project.experiment.group_recipe(group).frames
    if isinstance(settings, VideoFiles):
        yield _own_video(settings, files, bounds)
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield _own_scene(settings, files, Path(folder) / "scene")


def _own_scene(settings: RgbdFrames, files: Sequence[Path], target: Path) -> Clip:
    if (found := _instead_of_a_scene(files)) is not None:
        raise InputError(
            f"{', '.join(map(str, files))}: found {found}, expected one folder of posed RGB-D "
            "frames (color/, depth/, pose/, intrinsic_depth.txt) or one .sens file because the "
            "adapter was trained on rooms with depth; give such a path, or an adapter that was "
            "trained on videos"
        )
    prepare_scene(files[0], target, settings.per_scene, settings.size)
    return RgbdClip(open_folder(target))


def _instead_of_a_scene(files: Sequence[Path]) -> str | None:
    """What is there in the place of a scene; None where there is one, whole or not."""
    if len(files) != 1:
        return f"{len(files)} paths"
    (path,) = files
    if not path.exists():
        return "no file or folder"
    if path.is_file():
        return None if path.suffix == ".sens" else "a file that is no .sens recording"
    recordings = len(list(path.glob("*.sens")))
    if (path / "color").is_dir() or recordings == 1:
        return None
    return f"a folder with {recordings} .sens files and no color/"


def _own_video(settings: VideoFiles, files: Sequence[Path], bounds: Bounds | None) -> Clip:
    found = [path.resolve() for path in files]
    root = Path(os.path.commonpath([path.parent for path in found]))
    names = [path.relative_to(root).as_posix() for path in found]
    inspected = inspect_clip(
        root, files[0].stem, names, settings.audio, bounds, other_views=len(names) - 1
    )
    if inspected.missing is not None:
        raise InputError(inspected.missing)
    return VideoClip(files[0].stem, root, inspected.files, settings.reader, inspected.bounds)
