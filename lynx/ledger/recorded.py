"""What `dvc.lock` says of each stage, and whether files on disk are still that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lynx.artifacts.hashing import BLOCK_BYTES
from lynx.artifacts.manifest import MANIFEST_NAME
from lynx.artifacts.verify import verify_files
from lynx.config.yaml_files import read_mapping
from lynx.errors import InputError
from lynx.ledger.render import SETTINGS

LOCK = "dvc.lock"
AGAIN = "run `lynx restore` again"


@dataclass(frozen=True)
class Entry:
    """One stage of the lock: md5 by path, `.dir` behind those of folders."""

    name: str
    deps: Mapping[str, str]
    outs: Mapping[str, str]
    settings: str | None


def read_lock(root: Path) -> dict[str, Entry]:
    """The recorded stages by name; none where nothing has been recorded yet."""
    if not (root / LOCK).is_file():
        return {}
    stages = read_mapping(root, LOCK).get("stages") or {}
    return {name: _entry(name, held) for name, held in stages.items()}


def _entry(name: str, held: Mapping[str, Any]) -> Entry:
    def digests(kind: str) -> dict[str, str]:
        return {item["path"]: str(item["md5"]) for item in held.get(kind) or () if "md5" in item}

    settings = (held.get("params") or {}).get(SETTINGS, {}).get(name)
    return Entry(name, digests("deps"), digests("outs"), settings)


@dataclass(frozen=True)
class Bytes:
    """Compares files below `root` with what the ledger recorded; `stored` finds cache objects."""

    root: Path
    stored: Callable[[str], Path]

    def check(self, entry: Entry) -> None:
        """Every output of a stage, byte by byte, and every dependency that is there.

        Raises InputError naming the first file that differs and, where the cached copy is what
        was damaged, that copy.
        """
        for path, digest in entry.deps.items():
            if (self.root / path).is_file():
                self._check_file(path, digest)
        for path, digest in entry.outs.items():
            if digest.endswith(".dir"):
                self._check_artefact(path, digest)
            else:
                self._check_file(path, digest)

    def _check_file(self, path: str, digest: str) -> None:
        file = self.root / path
        if not file.is_file():
            raise InputError(f"{path}: missing, expected as recorded in {LOCK}; {AGAIN}")
        if (found := md5_of(file)) != digest:
            raise self._differs(path, found, digest)

    def _check_artefact(self, folder: str, digest: str) -> None:
        listed = self._listing(folder, digest)
        here = self.root / folder
        found = {each.relative_to(here).as_posix() for each in here.rglob("*") if each.is_file()}
        for name in sorted(found ^ listed.keys()):
            what = "not recorded" if name in found else "missing, expected as recorded"
            raise InputError(f"{folder}/{name}: {what} in {LOCK}; move the folder away and {AGAIN}")
        self._check_file(f"{folder}/{MANIFEST_NAME}", listed[MANIFEST_NAME])
        try:
            verify_files(here, deep=True)
        except InputError as error:
            for name, expected in listed.items():
                if (other := md5_of(here / name)) != expected:
                    raise self._differs(f"{folder}/{name}", other, expected) from error
            raise

    def _listing(self, folder: str, digest: str) -> dict[str, str]:
        """md5 by name below a folder, from the listing that the cache keeps of it."""
        path = self.stored(digest)
        if not path.is_file():
            raise InputError(
                f"{path}: no such object in the cache, expected that of {folder}; "
                f"give `dvc pull` a remote that has it and {AGAIN}"
            )
        if f"{md5_of(path)}.dir" != digest:
            raise self._damaged(path, folder)
        return {item["relpath"]: item["md5"] for item in json.loads(path.read_bytes())}

    def _differs(self, path: str, found: str, expected: str) -> InputError:
        stored = self.stored(expected)
        if stored.is_file() and md5_of(stored) != expected:
            return self._damaged(stored, path)
        return InputError(
            f"{path}: md5 {found[:12]}... found, {expected[:12]}... recorded in {LOCK}; the file "
            f"was changed since, so move it away and {AGAIN}"
        )

    def _damaged(self, stored: Path, path: str) -> InputError:
        return InputError(
            f"{stored}: its bytes are not those of its name, so the cached copy of {path} is "
            f"damaged; delete both and {AGAIN}"
        )


def md5_of(path: Path) -> str:
    """md5 of a file's bytes, which is what DVC names it by."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
