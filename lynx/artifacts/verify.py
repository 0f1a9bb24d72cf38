"""Check an artefact against its manifest before anything reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import (
    MANIFEST_NAME,
    Manifest,
    ParentEntry,
    content_hash,
    identify,
    named,
    read_manifest,
    stands_alone,
)
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.errors import InputError

RAW_STAGES = ("data", "frames")
"""Stages, and rules, that read raw data of the site; what they publish holds parts of it."""
TABLES = (".json", ".jsonl")
"""Questions, inventories, indices: small beside tokens and frames, and they say what of these is
read. A reader hashes them always; one bit of an index is another clip's tokens."""


def manifest_problems(folder: Path, manifest: Manifest) -> Iterator[str]:
    """What shows that a manifest is no longer the one that was published."""
    if content_hash(manifest.files) != manifest.content:
        yield (
            f"{folder}/manifest.json: the file list does not hash to its own content field; "
            "the manifest was edited, so run the rule that makes it again"
        )
    decided = (manifest.settings, manifest.seed, manifest.parents)
    if identify(manifest.stage, manifest.version, *decided) != manifest.identity:
        yield (
            f"{folder}/manifest.json: stage, settings, seed and parents do not hash to its own "
            "identity field; the manifest was edited, so run the rule that makes it again"
        )


def file_problems(
    folder: Path, manifest: Manifest, *, deep: bool, tables: bool = False
) -> Iterator[str]:
    """Each file that is missing or has another size than listed, or with `deep` another sha256.

    With `tables` files of text that others are found by (`TABLES`) are hashed in any case.
    """
    for entry in manifest.files:
        path = folder / entry.path
        hashed = deep or (tables and path.suffix in TABLES)
        if not path.is_file():
            yield f"{path}: missing, expected {entry.bytes} bytes; run its rule again"
            continue
        size = path.stat().st_size
        if size != entry.bytes:
            yield (
                f"{path}: {size} bytes found, {entry.bytes} expected; "
                "the file was cut or changed, so run its rule again"
            )
        elif hashed:
            yield from hash_problems(path, entry.sha256)


def hash_problems(path: Path, expected: str) -> Iterator[str]:
    """A sentence if a file's sha256 is another than its manifest lists."""
    if (found := hash_file(path)) != expected:
        yield (
            f"{path}: sha256 {found[:12]}... found, {expected[:12]}... expected; "
            "the file was changed, so run its rule again"
        )


def version_problems(
    path: Path, stage: str, version: object, again: str = "run its rule again"
) -> Iterator[str]:
    """A sentence if something was made by another version of its stage than the code's."""
    now = STAGE_VERSIONS.get(stage)
    if version != now:
        yield (
            f"{path}: made by version {version} of stage {stage}, the code is at version {now}; "
            f"{again}"
        )


def verify_files(folder: Path, *, deep: bool) -> Manifest:
    """Compare each file's size, and of `TABLES` or with `deep` its sha256, with the manifest.

    Raises InputError naming the first file that differs, what was found and what was expected.
    """
    manifest = read_manifest(folder)
    if manifest.stage in RAW_STAGES and stands_alone(folder, manifest):
        again = f"snakemake --profile local --forcerun {manifest.stage} -- {folder}/{MANIFEST_NAME}"
        raise InputError(
            f"{folder}: its files are not here ({len(manifest.files)} in all), only the inventory "
            "of them; put the raw data where config/site.yaml says and make them again with "
            f"`{again}`"
        )
    found = file_problems(folder, manifest, deep=deep, tables=True)
    for problem in chain(manifest_problems(folder, manifest), found):
        raise InputError(problem)
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


def other_parent(child: Path, recorded: ParentEntry, found: ParentEntry) -> str:
    """The sentence about a parent that was made anew after its child."""
    return (
        f"{child}: made from {recorded.stage} {recorded.identity[:12]} "
        f"({recorded.content[:12]}), but {found.path} is {found.identity[:12]} "
        f"({found.content[:12]}); run the rule that makes {child} again"
    )


def require_same(child: Path, recorded: ParentEntry, found: ParentEntry) -> None:
    """What is found must be what `child` was made from; see `other_parent`."""
    if (recorded.identity, recorded.content) != (found.identity, found.content):
        raise InputError(other_parent(child, recorded, found))


def require_parent(child: Path, manifest: Manifest, parent: ParentEntry) -> None:
    """`child` must have been made from exactly `parent`, for example features from this adapter.

    A child may have several parents of a stage (tables of all that its adapters met): the one that
    lay where `parent` lies counts, and where none did, the only one of the stage.
    """
    alike = [entry for entry in manifest.parents if entry.stage == parent.stage]
    placed = [entry for entry in alike if _lies_at(parent.path, entry.path)] or alike
    if any((one.identity, one.content) == (parent.identity, parent.content) for one in placed):
        return
    if len(placed) == 1:
        raise InputError(other_parent(child, placed[0], parent))
    raise InputError(
        f"{child}: names no parent {parent.path} of stage {parent.stage}, expected "
        f"{parent.identity[:12]}; run the rule that makes {child} again"
    )


def _lies_at(path: str, recorded: str) -> bool:
    """Whether a folder is the one that a manifest names from its project's root."""
    parts = Path(recorded).parts
    return Path(path).parts[-len(parts) :] == parts


def require_recorded(root: Path, child: Path, entry: ParentEntry) -> Manifest:
    """The manifest of a parent that `child` names: still that of what `child` was made from.

    Its files are not looked at. Raises InputError for one that is absent, edited or made anew.
    """
    folder = root / entry.path
    manifest = read_manifest(folder)
    for problem in manifest_problems(folder, manifest):
        raise InputError(problem)
    require_same(child, entry, named(folder, manifest))
    return manifest


def require_settings(
    folder: Path, manifest: Manifest, settings: Mapping[str, object], what: str
) -> None:
    """The artefact at `folder`, a sentence's `what`, must have been made with these settings."""
    if manifest.settings != settings:
        raise InputError(
            f"{folder}: {what} of another recipe than the configured one; "
            f"run the {manifest.stage} rule again"
        )
