"""Stored token streams: safetensors shards and an index, read by clip id.

Shape legend: V tokens of a clip, D language model width.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from lynx.artifacts.manifest import FileEntry
from lynx.artifacts.verify import hash_problems
from lynx.errors import InputError

INDEX_NAME = "index.jsonl"
SHARD_BYTES = 1 << 30


class StoreWriter:
    """Writes clips into shards of about a gigabyte, and the index last."""

    def __init__(self, folder: Path, shard_bytes: int = SHARD_BYTES) -> None:
        self.folder = folder
        self.shard_bytes = shard_bytes
        self._pending: dict[str, torch.Tensor] = {}
        self._rows: list[dict[str, object]] = []
        self._shards = 0

    def add(self, clip: str, tokens: torch.Tensor) -> None:
        """Take in one clip's tokens (V, D); a clip may be added once."""
        if clip in self._pending or any(row["clip"] == clip for row in self._rows):
            raise ValueError(f"clip {clip} was added twice")
        self._pending[clip] = tokens.contiguous()
        if sum(item.nbytes for item in self._pending.values()) >= self.shard_bytes:
            self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        name = f"tokens-{self._shards:05d}.safetensors"
        save_file(self._pending, self.folder / name)
        for clip, tokens in self._pending.items():
            self._rows.append({"clip": clip, "shard": name, "tokens": tokens.shape[0]})
        self._pending, self._shards = {}, self._shards + 1

    def close(self) -> int:
        """Write the last shard and the index; gives the number of clips."""
        self._flush()
        lines = "".join(json.dumps(row) + "\n" for row in self._rows)
        (self.folder / INDEX_NAME).write_text(lines, encoding="utf-8")
        return len(self._rows)


@dataclass(frozen=True)
class StoredTokens:
    """A stored stream opened for reading."""

    folder: Path
    shards: dict[str, str]
    hashes: Mapping[str, str]
    """sha256 by file name, as published."""
    _hashed: set[str] = field(default_factory=set, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @classmethod
    def open(cls, folder: Path, files: Iterable[FileEntry]) -> StoredTokens:
        """Read the index of a features artefact and check that its shards hold what it says.

        `files` are those that its manifest lists.

        Raises InputError for a missing or cut index or shard.
        """
        shards = _read_index(folder / INDEX_NAME)
        for shard in sorted(set(shards.values())):
            _check_shard(folder / shard, {clip for clip, held in shards.items() if held == shard})
        return cls(folder, shards, {entry.path: entry.sha256 for entry in files})

    def read(self, clip: str) -> torch.Tensor:
        """Tokens (V, D) of a clip; InputError if the stream does not hold it or its shard changed.

        A shard is hashed when something is first read of it: all of them at once may be terabytes,
        and a bit that differs would be in no error and in every result.
        """
        if clip not in self.shards:
            raise InputError(
                f"{self.folder}: no tokens of clip {clip}, expected one of {len(self.shards)}; "
                "run the features rule again"
            )
        shard = self.shards[clip]
        with self._lock:  # the next batch may be read beside this one
            if shard not in self._hashed:
                for problem in hash_problems(self.folder / shard, self.hashes[shard]):
                    raise InputError(problem)
                self._hashed.add(shard)
        with safe_open(self.folder / shard, framework="pt") as stream:
            tokens: torch.Tensor = stream.get_tensor(clip)
        return tokens


def _read_index(path: Path) -> dict[str, str]:
    """Shards by clip, one line each."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: missing, expected the index of a token stream; run the features rule again"
        ) from error
    shards = {}
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            shards[str(row["clip"])] = str(row["shard"])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}, line {number}: {line[:60]!r} found, expected a clip and its shard; "
                "the index was cut or changed, so run the features rule again"
            ) from error
    return shards


def _check_shard(path: Path, clips: set[str]) -> None:
    """Read a shard's header, which also compares its length with the tensors it names."""
    try:
        with safe_open(path, framework="pt") as stream:
            missing = sorted(clips - set(stream.keys()))
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: missing, expected the tokens of {len(clips)} clips; "
            "run the features rule again"
        ) from error
    except SafetensorError as error:
        raise InputError(f"{path}: not whole ({error}); run the features rule again") from error
    if missing:
        raise InputError(
            f"{path}: no tokens of clip {missing[0]}, which the index places there; "
            "run the features rule again"
        )


def write_store(folder: Path, clips: Iterable[tuple[str, torch.Tensor]]) -> int:
    """Store all clips of a stream; gives their number."""
    writer = StoreWriter(folder)
    for clip, tokens in clips:
        writer.add(clip, tokens)
    return writer.close()
