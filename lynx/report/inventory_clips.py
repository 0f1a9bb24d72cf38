"""What lies on disk of each clip: its files with their sizes, or the reason why it is missing.

Nothing is decoded: whether a file can be read is found out by the `frames` stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from lynx.artifacts.hashing import hash_data, hash_file
from lynx.media.intrinsics import FILE_NAME
from lynx.media.paths import safe_child

EXPORTED = ("color", "depth", "pose")


@dataclass(frozen=True)
class ClipOnDisk:
    """Files of a clip, by name below the media root, with their bytes; what it lacks, else None."""

    sizes: Mapping[str, int]
    lacking: str | None

    @property
    def bytes(self) -> int:
        """Of all files that are there."""
        return sum(self.sizes.values())


def find_clips(
    root: Path, clips: Mapping[str, tuple[str, ...]], other_views: int
) -> dict[str, ClipOnDisk]:
    """Look for every clip below ``root``: the files that show it, or none for a scene folder.

    Of the files only the video and ``other_views`` behind it, as the ``frames`` stage does.
    A progress bar is shown on a terminal: exported scenes hold thousands of files each.

    Raises:
        InputError: a name leaves the root.
    """
    bar = tqdm(clips.items(), desc="looking for clips", unit="clip", disable=None, leave=False)
    return {
        clip: _find_files(root, names, other_views) if names else _find_scene(root, clip)
        for clip, names in bar
    }


def hash_clips(root: Path, found: Mapping[str, ClipOnDisk]) -> dict[str, str]:
    """Clip -> sha256, of the clips that lack nothing, with a progress bar in bytes.

    That of a clip with one file is the sha256 of its bytes; that of a clip with several is the
    hash of the plain data {name: sha256}.
    """
    whole = {clip: item for clip, item in found.items() if item.lacking is None}
    total = sum(item.bytes for item in whole.values())
    result = {}
    with tqdm(total=total, desc="hashing clips", unit="B", unit_scale=True, mininterval=1.0) as bar:
        for clip, item in whole.items():
            hashes = {}
            for name, size in item.sizes.items():
                hashes[name] = hash_file(root / name)
                bar.update(size)
            result[clip] = next(iter(hashes.values())) if len(hashes) == 1 else hash_data(hashes)
    return result


def _find_files(root: Path, names: tuple[str, ...], other_views: int) -> ClipOnDisk:
    paths = {name: safe_child(root, name) for name in names[: 1 + other_views]}
    sizes = {name: path.stat().st_size for name, path in paths.items() if path.is_file()}
    faults = [f"{name}: no such file" for name in paths if name not in sizes]
    if len(names) <= other_views:
        faults.append(f"{names[0]}: {len(names) - 1} other views listed, {other_views} drawn from")
    faults += [f"{name}: empty file" for name, size in sizes.items() if size == 0]
    return ClipOnDisk(sizes, faults[0] if faults else None)


def _find_scene(root: Path, scene: str) -> ClipOnDisk:
    """An exported scene, else one recording; the `frames` stage reads them in the same order."""
    folder = safe_child(root, scene)
    if not folder.is_dir():
        return ClipOnDisk({}, f"{scene}: no such folder")
    if (folder / "color").is_dir():
        sizes = _sizes(root, _exported_files(folder))
        return ClipOnDisk(sizes, _export_fault(folder, sizes))
    recordings = sorted(folder.glob("*.sens"))
    sizes = _sizes(root, recordings)
    if len(recordings) != 1:
        fault = f"{scene}: {len(recordings)} .sens files and no color/ folder"
        return ClipOnDisk(sizes, fault)
    empty = f"{scene}/{recordings[0].name}: empty file" if 0 in sizes.values() else None
    return ClipOnDisk(sizes, empty)


def _exported_files(folder: Path) -> Iterator[Path]:
    for name in EXPORTED:
        if (folder / name).is_dir():
            yield from sorted(path for path in (folder / name).iterdir() if path.is_file())
    for path in (folder / FILE_NAME, folder / "intrinsic" / FILE_NAME):
        if path.is_file():
            yield path
            return


def _export_fault(folder: Path, sizes: Mapping[str, int]) -> str | None:
    parts = {Path(name).parts[1] for name in sizes}
    for name in ("color", "depth"):
        if name not in parts:
            return f"{folder.name}/{name}: no files"
    if not parts & {FILE_NAME, "intrinsic"}:
        return f"{folder.name}/{FILE_NAME}: no such file"
    return None


def _sizes(root: Path, paths: Iterator[Path] | list[Path]) -> dict[str, int]:
    return {path.relative_to(root).as_posix(): path.stat().st_size for path in paths}
