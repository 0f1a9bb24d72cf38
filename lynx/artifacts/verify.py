"""Check an artefact against its manifest before anything reads it."""

from __future__ import annotations

from pathlib import Path

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import (
    Manifest,
    ParentEntry,
    content_hash,
    identify,
    read_manifest,
)
from lynx.errors import InputError


def verify_files(folder: Path, *, deep: bool) -> Manifest:
    """Compare each file's size, and with `deep` its sha256, with the manifest.

    Raises InputError naming the first file that differs, what was found and what was expected.
    """
    manifest = read_manifest(folder)
    if content_hash(manifest.files) != manifest.content:
        raise InputError(
            f"{folder}/manifest.json: the file list does not hash to its own content field; "
            "the manifest was edited, so run the rule that makes it again"
        )
    decided = (manifest.settings, manifest.seed, manifest.parents)
    if identify(manifest.stage, manifest.version, *decided) != manifest.identity:
        raise InputError(
            f"{folder}/manifest.json: stage, settings, seed and parents do not hash to its own "
            "identity field; the manifest was edited, so run the rule that makes it again"
        )
    for entry in manifest.files:
        path = folder / entry.path
        if not path.is_file():
            raise InputError(f"{path}: missing, expected {entry.bytes} bytes; run its rule again")
        size = path.stat().st_size
        if size != entry.bytes:
            raise InputError(
                f"{path}: {size} bytes found, {entry.bytes} expected; "
                "the file was cut or changed, so run its rule again"
            )
        if deep and (found := hash_file(path)) != entry.sha256:
            raise InputError(
                f"{path}: sha256 {found[:12]}... found, {entry.sha256[:12]}... expected; "
                "the file was changed, so run its rule again"
            )
    return manifest


def require_stage(folder: Path, stage: str, *, deep: bool = False) -> Manifest:
    """Read a verified manifest that must be of the given stage; see `verify_files`."""
    manifest = verify_files(folder, deep=deep)
    if manifest.stage != stage:
        raise InputError(
            f"{folder}: an artefact of stage {manifest.stage}, expected {stage}; "
            "give the folder of that stage"
        )
    return manifest


def require_parent(child: Path, manifest: Manifest, parent: ParentEntry) -> None:
    """`child` must have been made from exactly `parent`, for example features from this adapter."""
    for entry in manifest.parents:
        if entry.stage == parent.stage:
            if (entry.identity, entry.content) == (parent.identity, parent.content):
                return
            raise InputError(
                f"{child}: made from {parent.stage} {entry.identity[:12]} "
                f"({entry.content[:12]}), but {parent.path} is {parent.identity[:12]} "
                f"({parent.content[:12]}); run the rule that makes {child} again"
            )
    raise InputError(
        f"{child}: names no parent of stage {parent.stage}, expected {parent.identity[:12]} "
        f"({parent.path}); run the rule that makes {child} again"
    )
