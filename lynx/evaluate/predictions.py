"""The published predictions: JSON Lines, one answered sample a line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from lynx.benchmarks.sample import Sample
from lynx.errors import InputError

FILE_NAME = "predictions.jsonl"


def write_predictions(folder: Path, samples: Sequence[Sample], answers: Mapping[str, str]) -> None:
    """Write the fields the released scorer reads per sample: `question_id`, `scene_id`, `text`."""
    rows = (
        {"question_id": sample.id, "scene_id": sample.clip, "text": answers[sample.id]}
        for sample in samples
    )
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


def read_predictions(folder: Path) -> dict[str, str]:
    """Answers by question id; InputError for a repeated id."""
    path, answers = folder / FILE_NAME, {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")[:-1], start=1):
        row = json.loads(line)
        if row["question_id"] in answers:
            raise InputError(
                f"{path}, line {number}: question {row['question_id']!r} is answered twice, "
                "expected once; run the predict rule again"
            )
        answers[row["question_id"]] = row["text"]
    return answers
