"""Publish or nothing: an artefact is whole and named by its manifest, or absent (design, rule 3)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lynx.artifacts.environment import describe_environment
from lynx.artifacts.manifest import (
    MANIFEST_NAME,
    Manifest,
    ParentEntry,
    content_hash,
    dump_manifest,
    identify,
    list_files,
)


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


def write_atomic(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old text or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    fsync_path(path.parent)


@dataclass
class Draft:
    """An artefact being written: files go below `folder`, counts and facts into the manifest."""

    folder: Path
    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)


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
) -> Iterator[Draft]:
    """Write an artefact beside `target`, flush it, rename it in, and write its manifest last.

    A failure inside the block, a full disk among them, removes the draft and leaves whatever stood
    at `target` before; a kill leaves a draft folder that the next writer removes.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Draft(target.with_name(f".{target.name}.draft"))
    if draft.folder.exists():
        shutil.rmtree(draft.folder)
    draft.folder.mkdir()
    try:
        yield draft
        files = list_files(draft.folder)
        fsync_tree(draft.folder)
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
            environment=describe_environment(device),
        )
        _swap_in(draft.folder, target)
    except BaseException:
        shutil.rmtree(draft.folder, ignore_errors=True)
        raise
    write_atomic(target / MANIFEST_NAME, dump_manifest(manifest))


def _swap_in(folder: Path, target: Path) -> None:
    """Rename `folder` to `target`; an old artefact loses its manifest first, then goes."""
    if target.exists():
        (target / MANIFEST_NAME).unlink(missing_ok=True)
        retired = target.with_name(f".{target.name}.retired")
        shutil.rmtree(retired, ignore_errors=True)
        os.rename(target, retired)
        os.rename(folder, target)
        shutil.rmtree(retired)
    else:
        os.rename(folder, target)
    fsync_path(target.parent)
