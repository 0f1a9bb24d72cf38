"""Small result files in JSON that hold the hash of their own content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lynx.artifacts.hashing import hash_data

CONTENT = "content"


def content_of(report: Mapping[str, Any]) -> str:
    """The hash over every field but the one that holds it."""
    return hash_data({key: value for key, value in report.items() if key != CONTENT})


def sealed_text(report: Mapping[str, Any]) -> str:
    """A report as JSON with its content hash; ValueError for a number that is not finite."""
    sealed = {**report, CONTENT: content_of(report)}
    return json.dumps(sealed, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
