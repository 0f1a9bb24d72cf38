"""The curve of a training as CSV, small enough for Git and readable by any plotting tool."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from lynx.artifacts.publish import write_atomic
from lynx.artifacts.verify import verify_files
from lynx.errors import InputError

LOG_NAME = "training.jsonl"


def write_curve(folder: Path, target: Path) -> None:
    """Write the training log of an artefact to `target`: rows are steps, columns what is logged.

    Raises InputError if `folder` is no artefact of a training.
    """
    manifest = verify_files(folder, deep=False)
    if LOG_NAME not in {entry.path for entry in manifest.files}:
        raise InputError(
            f"{folder}: an artefact of stage {manifest.stage}, which holds no {LOG_NAME}; give the "
            "folder of an align or sft artefact"
        )
    lines = (folder / LOG_NAME).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(target, text.getvalue())
