"""The manifest: what an artefact is, what decided it, what it is made of (architecture, rule 2)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lynx.artifacts.hashing import hash_data, hash_file
from lynx.errors import InputError

MANIFEST_NAME = "manifest.json"
RESTORED_NAME = ".restored.json"
"""A copy of a manifest that `lynx restore` brought without its files, which are licensed: Snakemake
deletes the manifest itself before it has the files made again."""


class FileEntry(BaseModel):
    """One file of an artefact, by its path below the artefact's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    bytes: int
    sha256: str


class ParentEntry(BaseModel):
    """An artefact that this one was made from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    stage: str
    identity: str
    content: str


class Manifest(BaseModel):
    """Everything that a later stage or a reader needs to trust an artefact.

    `identity` hashes what decided the artefact (stage, version, settings, seed, the parents'
    identities and contents); `content` hashes the files themselves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: str
    version: int
    settings: dict[str, object]
    seed: int | None
    parents: tuple[ParentEntry, ...]
    identity: str
    content: str
    files: tuple[FileEntry, ...]
    counts: dict[str, int]
    facts: dict[str, object]
    environment: dict[str, str]


def identify(
    stage: str,
    version: int,
    settings: dict[str, object],
    seed: int | None,
    parents: Sequence[ParentEntry],
) -> str:
    """The identity of an artefact: equal inputs give equal identities, before anything is run.

    A parent counts with its content too: raw data and base models may change under equal settings,
    and state that is named by an identity must not be taken up for other inputs.
    """
    return hash_data(
        {
            "stage": stage,
            "version": version,
            "settings": settings,
            "seed": seed,
            "parents": [[parent.stage, parent.identity, parent.content] for parent in parents],
        }
    )


def list_files(folder: Path) -> tuple[FileEntry, ...]:
    """Every file below `folder` except the manifest, sorted by path, with its size and hash."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(
        FileEntry(
            path=path.relative_to(folder).as_posix(),
            bytes=path.stat().st_size,
            sha256=hash_file(path),
        )
        for path in paths
        if path.name != MANIFEST_NAME and not path.name.startswith(".snakemake")
    )


def stands_alone(folder: Path, manifest: Manifest) -> bool:
    """Whether none of an artefact's files is there: `lynx restore` brings no licensed data, only
    what they must hash to."""
    return bool(manifest.files) and not any(
        (folder / entry.path).exists() for entry in manifest.files
    )


def content_hash(files: Sequence[FileEntry]) -> str:
    """One hash over the names and bytes of all files."""
    return hash_data([[entry.path, entry.sha256] for entry in files])


def read_manifest(path: Path) -> Manifest:
    """Read a manifest, given its own path or the artefact's folder."""
    file = path / MANIFEST_NAME if path.is_dir() else path
    if not file.is_file():
        raise InputError(
            f"{file}: no manifest, so the artefact is absent or was never finished; "
            "run the rule that makes it"
        )
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the whole file"
        raise InputError(
            f"{file}: {where} is not a manifest's ({problem['msg']}); "
            "delete the artefact's folder and run its rule again"
        ) from error


def parent_entry(path: Path) -> ParentEntry:
    """The entry under which an artefact is named by those made from it."""
    return named(path if path.is_dir() else path.parent, read_manifest(path))


def named(folder: Path, manifest: Manifest) -> ParentEntry:
    """The same for a manifest that was read already."""
    return ParentEntry(
        path=folder.as_posix(),
        stage=manifest.stage,
        identity=manifest.identity,
        content=manifest.content,
    )


def dump_manifest(manifest: Manifest) -> str:
    """The text of a manifest: indented for reading, stable for comparing."""
    return json.dumps(manifest.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"
