"""Question and annotation files in SQA3D's official form (zenodo.org/records/7792397)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lynx.demo.world.camera import mean_camera, metric_pose
from lynx.demo.world.questions import Question, sqa3d_questions
from lynx.demo.world.scene import Scene

# Official ids are 12-digit integers; scene and question number follow this prefix.
_FIRST_QUESTION_ID = 220602_000000
_QUESTIONS_PER_SCENE = 100


def question_file_stem(split: str) -> str:
    """File name, without its ending, of a split's questions."""
    return f"v1_balanced_questions_{split}_scannetv2"


def annotation_file_stem(split: str) -> str:
    """File name, without its ending, of a split's answers."""
    return f"v1_balanced_sqa_annotations_{split}_scannetv2"


def _annotation(scene: Scene, question: Question, question_id: int) -> dict[str, Any]:
    """The answer record; the asker stands at the mean camera, turned about z by its yaw."""
    camera = mean_camera(scene)
    x, y, z = metric_pose(scene, camera)[:3, 3].tolist()
    return {
        "scene_id": scene.scene_id,
        "question_type": "N/A",
        "answer_type": "other",
        "question_id": question_id,
        "answers": [
            {"answer": question.answers[0], "answer_confidence": "yes", "answer_id": 1},
        ],
        "rotation": {
            "_x": 0.0,
            "_y": 0.0,
            "_z": math.sin(camera.yaw / 2),
            "_w": math.cos(camera.yaw / 2),
        },
        "position": {"x": x, "y": y, "z": z},
    }


def sqa3d_records(
    scenes: Sequence[Scene],
) -> tuple[dict[str, Any], dict[str, Any], dict[str, dict[str, str]]]:
    """Question file, annotation file, and the tags {question_id: {needs, kind}} of some scenes."""
    questions: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    tags: dict[str, dict[str, str]] = {}
    for scene in scenes:
        for number, question in enumerate(sqa3d_questions(scene)):
            question_id = _FIRST_QUESTION_ID + scene.index * _QUESTIONS_PER_SCENE + number
            situation, *alternatives = question.situation
            questions.append(
                {
                    "scene_id": scene.scene_id,
                    "situation": situation,
                    "alternative_situation": alternatives,
                    "question": question.text,
                    "question_id": question_id,
                }
            )
            answers.append(_annotation(scene, question, question_id))
            tags[str(question_id)] = {"needs": question.needs, "kind": question.kind}
    return {"questions": questions}, {"annotations": answers}, tags
