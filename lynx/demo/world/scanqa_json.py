"""Annotation files in ScanQA's official form (github.com/ATR-DBI/ScanQA, version 1.0).

The demo's test file carries answers, unlike the official one, whose answers are on a server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lynx.demo.world.questions import scanqa_questions
from lynx.demo.world.scene import Scene

FILE_STEMS = {
    "train": "ScanQA_v1.0_train",
    "val": "ScanQA_v1.0_val",
    "test": "ScanQA_v1.0_test_w_obj",
}


def object_ids(scene: Scene, names: Sequence[str]) -> list[int]:
    """Numbers of the things in a room: furniture from 1, left to right, then the fixed parts."""
    everything = [
        *(piece.category for piece in scene.objects),
        *("floor", "wall", "ceiling", "door", "wall panel"),
    ]
    return [everything.index(name) + 1 for name in names]


def scanqa_records(
    split: str, scenes: Sequence[Scene]
) -> tuple[list[dict[str, Any]], dict[str, dict[str, str]]]:
    """The split's records, and the tags {question_id: {needs, kind}} that records cannot hold."""
    records: list[dict[str, Any]] = []
    tags: dict[str, dict[str, str]] = {}
    for scene in scenes:
        for number, question in enumerate(scanqa_questions(scene)):
            question_id = f"{split}-{scene.scene_id.removesuffix('_00')}-{number}"
            records.append(
                {
                    "scene_id": scene.scene_id,
                    "object_ids": object_ids(scene, question.objects),
                    "object_names": list(question.objects),
                    "question_id": question_id,
                    "question": question.text,
                    "answers": list(question.answers),
                }
            )
            tags[question_id] = {"needs": question.needs, "kind": question.kind}
    return records, tags
