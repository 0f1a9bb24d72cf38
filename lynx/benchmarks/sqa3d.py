"""SQA3D (Ma et al. 2023): questions asked from a described position inside a ScanNet room.

Protocol ("released" behaviour of LEO, PAVE and LynX): situation and question make the prompt, the
pose itself is not given; EM and refined EM over cleaned answers, overall and by question type.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lynx.benchmarks import scannet
from lynx.benchmarks.annotation import (
    Annotation,
    Faulty,
    annotation_file,
    chat_fault,
    listed,
    objects,
    required,
    scan_id,
    texts_of,
    unique,
    within_budget,
)
from lynx.benchmarks.instruct import stands_in
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample, Turn
from lynx.benchmarks.scene_instruct import read_scene_instruct
from lynx.benchmarks.short_answers import EXACT_MATCH_METRICS, score_exact_match
from lynx.benchmarks.source import Source, SplitSource, counted, quoted
from lynx.benchmarks.tags import with_tags
from lynx.errors import InputError
from lynx.metrics.cleaning import has_content

SPLITS = ("train", "val", "test")
QUESTIONS = {split: f"v1_balanced_questions_{split}_scannetv2.json" for split in SPLITS}
ANNOTATIONS = {split: f"v1_balanced_sqa_annotations_{split}_scannetv2.json" for split in SPLITS}
INSTRUCT = "SQA_train_instruct.json"

TYPES = ("What", "Is", "How", "Can", "Which", "Other")

_HOW_TO_GET = (
    "download the SQA3D archive from Zenodo, record 7792397 (CC BY 4.0), unpack it there and, for "
    "the scenes, sign ScanNet's terms of use"
)

_Items = dict[str, dict[str, Any]]


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read a split from the official pair of files, joined by question id.

    For training alone, the instruct file is read where neither file of the pair is there; its
    questions have no type, for the situation hides their first word.

    Raises:
        InputError: the split or a file is unknown, the files do not belong together, a field is
            missing or of the wrong type, an id of the pair occurs twice, or more than the share
            ``allow_missing`` of the questions is unusable.
    """
    instruct = annotations_root / INSTRUCT
    pair = (annotations_root / names["train"] for names in (QUESTIONS, ANNOTATIONS))
    if split == "train" and stands_in(instruct, *pair):
        return read_scene_instruct(instruct, allow_missing)
    questions_path = annotation_file(annotations_root, QUESTIONS, split, _HOW_TO_GET)
    answers_path = annotation_file(annotations_root, ANNOTATIONS, split, _HOW_TO_GET)
    questions = _by_id(questions_path, "questions")
    answers = _by_id(answers_path, "annotations")
    _require_same_questions(questions, questions_path, answers, answers_path)

    def parse() -> Iterator[Sample | Faulty]:
        for question_id, item in questions.items():
            at_question = f"{questions_path}: question {question_id!r}"
            at_answer = f"{answers_path}: question {question_id!r}"
            clip = _common_scan(item, at_question, answers[question_id], at_answer)
            references = _answers(answers[question_id], at_answer)
            asked = _sample(item, question_id, clip, references, at_question)
            reason = _fault_of_answers(references)
            if reason is not None and isinstance(asked, Sample):
                yield Faulty(question_id, reason, answers_path)
            else:
                yield asked

    samples, dropped = within_budget(questions_path, parse(), allow_missing)
    samples, tags = with_tags(questions_path, samples, questions)
    return Annotation(samples, dropped, [questions_path, answers_path, *tags])


def question_type(question: str) -> str:
    """One of ``TYPES``: the first word exactly as written, so "what" is ``Other`` (released)."""
    first = question.split(maxsplit=1)[0]
    return first if first in TYPES else "Other"


def _by_id(path: Path, key: str) -> _Items:
    items = listed(path, key)
    ids = texts_of(items, "question_id", int, f"{path}, {key!r}")
    unique(ids, str(path))
    return dict(zip(ids, items, strict=True))


def _require_same_questions(
    questions: _Items, questions_path: Path, answers: _Items, answers_path: Path
) -> None:
    for here, here_path, there, there_path in (
        (questions, questions_path, answers, answers_path),
        (answers, answers_path, questions, questions_path),
    ):
        alone = [question_id for question_id in here if question_id not in there]
        if alone:
            raise InputError(
                f"{there_path}: question {alone[0]!r} (and {len(alone) - 1} more) not found, "
                f"expected every question of {here_path}; get both files of one split again"
            )


def _common_scan(
    question: dict[str, Any], at_question: str, answer: dict[str, Any], at_answer: str
) -> str:
    scene = scan_id(question, at_question)
    other = scan_id(answer, at_answer)
    if scene != other:
        raise InputError(
            f"{at_answer}: field 'scene_id': found {other!r}, expected {scene!r} as in the "
            "questions file; get both files of one split again"
        )
    return scene


def _answers(item: dict[str, Any], place: str) -> tuple[str, ...]:
    answers = objects(required(item, "answers", list, place), f"{place}: field 'answers'")
    return tuple(required(answer, "answer", str, f"{place}: field 'answers'") for answer in answers)


def _fault_of_answers(references: tuple[str, ...]) -> str | None:
    """Why what the annotations file says of a question cannot be used, or None."""
    if not references:
        return "empty list of answers"
    if not all(map(has_content, references)):
        return "empty answer"
    return chat_fault(references[:1])  # the others are never shown


def _sample(
    item: dict[str, Any],
    question_id: str,
    clip: str,
    references: tuple[str, ...],
    place: str,
) -> Sample | Faulty:
    situation = required(item, "situation", str, place)
    question = required(item, "question", str, place)
    if not question.strip():
        return Faulty(question_id, "empty question")
    return Sample(
        id=question_id,
        clip=clip,
        turns=(Turn(question=f"{situation} {question}", answer=next(iter(references), "")),),
        references=references,
        type=question_type(question),
    )


def prompt(sample: Sample, turn: int) -> str:
    """The situation, a space, and the question: ``read`` joins them in the turn."""
    return sample.turns[turn].question


SOURCE = Source(
    splits={
        "train": SplitSource(
            (QUESTIONS["train"], ANNOTATIONS["train"]), quoted(26_623, "questions")
        ),
        "val": SplitSource((QUESTIONS["val"], ANNOTATIONS["val"]), quoted(3_261, "questions")),
        "test": SplitSource(
            (QUESTIONS["test"], ANNOTATIONS["test"]),
            counted(3_519, "questions"),
            counted(67, "scenes"),
        ),
    },
    further=(INSTRUCT,),
    licence=f"questions CC BY 4.0; {scannet.LICENCE}",
    access=(
        "the archive is Zenodo's record 7792397 (https://zenodo.org/records/7792397), no form; for "
        f"the scenes {scannet.ACCESS}"
    ),
    disk=f"some MB of JSON; {scannet.DISK}",
)

BENCHMARK = Benchmark(
    name="sqa3d",
    title="SQA3D",
    group="3d",
    modality="depth",
    splits=SPLITS,
    metrics=EXACT_MATCH_METRICS,
    read=read,
    prompt=prompt,
    score=score_exact_match,
    source=SOURCE,
)
