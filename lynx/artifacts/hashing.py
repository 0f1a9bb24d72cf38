"""Hashes: of files in blocks, of plain data through canonical JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

BLOCK_BYTES = 1 << 20


def hash_file(path: Path) -> str:
    """sha256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def canonical_json(data: object) -> str:
    """One text for equal data: sorted keys, no spaces, no NaN."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def hash_data(data: object) -> str:
    """sha256 of the canonical JSON of plain data."""
    return hashlib.sha256(canonical_json(data).encode()).hexdigest()
