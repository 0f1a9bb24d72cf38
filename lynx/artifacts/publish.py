"""Publish or nothing: an artefact is whole with its manifest, or absent (architecture, rule 3)."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError

from lynx.artifacts.environment import describe_environment
from lynx.artifacts.manifest import (
    MANIFEST_NAME,
    RESTORED_NAME,
    Manifest,
    ParentEntry,
    content_hash,
    dump_manifest,
    identify,
    list_files,
    read_manifest,
    stands_alone,
)
from lynx.errors import InputError

# The disk's own faults; any other OSError, such as a missing input, is told as itself.
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
# What a user or a mount may not write. Inputs, too, may be closed: such an error names its file.
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def naming_disk_faults(
    target: Path, what: str = "not published", kept: str = "nothing was lost"
) -> Iterator[None]:
    """Raise InputError for a full, failing or closed disk met while `target` is written."""
    try:
        yield
    except Exception as error:
        number = _errno(error)
        if number in DISK_FAULTS:
            problem, advice = "", "free space or mend the disk"
        elif number in CLOSED and (place := _refused_at(error, target)) is not None:
            problem = f" at {place}, expected a place that may be written"
            advice = "change its permissions or its mount"
        else:
            raise
        raise InputError(
            f"{target}: {what}, {os.strerror(number)}{problem}; {kept}: {advice} and run the same "
            "command again"
        ) from error


def saving_state(path: Path) -> AbstractContextManager[None]:
    """As `naming_disk_faults`, for resumable state."""
    return naming_disk_faults(path, "not saved", "the state before it is whole")


def _refused_at(error: Exception, target: Path) -> Path | None:
    """Where writing `target` was refused; None for an error about another file, or about none."""
    name = getattr(error, "filename", None)
    if name is None:  # only writing can tell that a disk is read-only
        return target if _errno(error) == errno.EROFS else None
    place = Path(os.fsdecode(name))
    if place == target or place in target.parents:
        return place
    # What is written beside the target, and below it, bears its name.
    beside = place.relative_to(target.parent) if place.is_relative_to(target.parent) else Path()
    return place if beside.parts and target.name in beside.parts[0] else None


def _errno(error: Exception) -> int | None:
    if isinstance(error, OSError):
        return error.errno
    # safetensors hands an error of the system on as text.
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found and isinstance(error, SafetensorError) else None


def fsync_path(path: Path) -> None:
    """Flush one file or folder entry to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_tree(folder: Path) -> None:
    """Flush every file and folder below `folder`, and itself."""
    for path in sorted(folder.rglob("*")):
        fsync_path(path)
    fsync_path(folder)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a small file so that a reader sees the old content or the new, never a part.

    Text is UTF-8. Raises InputError for a full, failing or closed disk; the old content stands.
    """
    written = content.encode() if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with naming_disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with beside.open("wb") as stream:
                stream.write(written)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(beside, path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        fsync_path(path.parent)


def append_flushed(path: Path, text: str) -> None:
    """Append lines to a file of resumable state and flush it to the disk.

    A kill or a fault may leave a part of them, so a reader checks each line. Raises InputError for
    a full, failing or read-only disk.
    """
    with saving_state(path), path.open("ab") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())


@dataclass
class Draft:
    """An artefact being written: files go below `folder`, counts and facts into the manifest."""

    folder: Path
    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
    attention: str | None = None
    """What the parts of the base that made it computed attention with."""


@contextmanager
def publishing(
    target: Path,
    *,
    stage: str,
    version: int,
    settings: dict[str, object],
    parents: Sequence[ParentEntry],
    seed: int | None,
    device: str,
    gpu_target: str = "cpu",
) -> Iterator[Draft]:
    """Write an artefact beside `target`, its manifest last, flush it, and rename it in.

    A failure inside the block removes the draft and leaves whatever stood at `target` before; a
    kill leaves a draft folder that the next writer removes. A full, failing or closed disk is an
    InputError.
    """
    draft = Draft(target.with_name(f".{target.name}.draft"))
    with naming_disk_faults(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if draft.folder.exists():
            shutil.rmtree(draft.folder)
        draft.folder.mkdir()
        try:
            yield draft
            files = list_files(draft.folder)
            manifest = Manifest(
                stage=stage,
                version=version,
                settings=settings,
                seed=seed,
                parents=tuple(parents),
                identity=identify(stage, version, settings, seed, parents),
                content=content_hash(files),
                files=files,
                counts=draft.counts,
                facts=draft.facts,
                environment=describe_environment(device, gpu_target, draft.attention),
            )
            text = dump_manifest(_standing(target, manifest))
            (draft.folder / MANIFEST_NAME).write_text(text, encoding="utf-8")
            fsync_tree(draft.folder)
            _swap_in(draft.folder, target)
        except BaseException:
            shutil.rmtree(draft.folder, ignore_errors=True)
            raise


def _standing(target: Path, made: Manifest) -> Manifest:
    """The manifest for `target`: the one there, if it stands alone and describes what was made.

    Of licensed tables and frames `lynx restore` brings the manifest only. Who has the raw data
    makes the files again under it, and nothing that was made from them is then out of date.
    """
    for name in (MANIFEST_NAME, RESTORED_NAME):
        try:
            standing = read_manifest(target / name)
        except InputError:
            continue
        same = (standing.identity, standing.content) == (made.identity, made.content)
        if same and stands_alone(target, standing):
            return standing
    return made


def _swap_in(folder: Path, target: Path) -> None:
    """Rename `folder` to `target`; an old artefact goes when the new one stands."""
    retired = target.with_name(f".{target.name}.retired")
    shutil.rmtree(retired, ignore_errors=True)
    if target.exists():
        os.rename(target, retired)
        try:
            os.rename(folder, target)
        except OSError:
            os.rename(retired, target)
            raise
    else:
        os.rename(folder, target)
    fsync_path(target.parent)
    shutil.rmtree(retired, ignore_errors=True)  # what is left of it goes with the next writer
