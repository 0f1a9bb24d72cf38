"""ScanQA v1.0 (Azuma et al. 2022): free-form questions about ScanNet rooms.

Protocol ("released" behaviour of LEO, PAVE and LynX): the bare question is the prompt, training
teaches the first answer, all answers are references, and both sides are cleaned before every
metric. Papers report ``val``; the answers of the test split are held by its server.
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
    objects,
    read_json,
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
from lynx.benchmarks.short_answers import EXACT_MATCH_METRICS, score_phrases
from lynx.benchmarks.source import Source, SplitSource, quoted
from lynx.benchmarks.tags import with_tags
from lynx.errors import InputError
from lynx.metrics.captions import CAPTION_METRICS
from lynx.metrics.cleaning import has_content

FILES = {
    "train": "ScanQA_v1.0_train.json",
    "val": "ScanQA_v1.0_val.json",
    "test_w_obj": "ScanQA_v1.0_test_w_obj.json",
}
INSTRUCT = "scanqa_train_instruct.json"
# Published without answers: predictions can be made, and scored by the benchmark's server alone.
_WITHOUT_ANSWERS = "test_w_obj"

_HOW_TO_GET = (
    "download the ScanQA v1.0 JSON files from the drive that the ScanQA repository links to "
    "(CC BY-NC-SA 3.0) and, for the scenes, sign ScanNet's terms of use"
)


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read a split from the official file; for training alone, from the instruct file without it.

    Raises:
        InputError: the split or file is unknown, a field is missing or of the wrong type, an id of
            the official file occurs twice, or more than the share ``allow_missing`` of the
            questions is unusable.
    """
    instruct = annotations_root / INSTRUCT
    if split == "train" and stands_in(instruct, annotations_root / FILES["train"]):
        return read_scene_instruct(instruct, allow_missing)
    path = annotation_file(annotations_root, FILES, split, _HOW_TO_GET)
    items = objects(read_json(path), str(path))
    ids = texts_of(items, "question_id", str, str(path))
    unique(ids, str(path))
    hidden = split == _WITHOUT_ANSWERS and not any("answers" in item for item in items)

    def parse() -> Iterator[Sample | Faulty]:
        for question_id, item in zip(ids, items, strict=True):
            place = f"{path}: question {question_id!r}"
            yield _sample(item, question_id, hidden, place)

    samples, dropped = within_budget(path, parse(), allow_missing)
    samples, tags = with_tags(path, samples, ids)
    return Annotation(samples, dropped, [path, *tags])


def _sample(item: dict[str, Any], question_id: str, hidden: bool, place: str) -> Sample | Faulty:
    clip = scan_id(item, place)
    question = required(item, "question", str, place)
    answers = () if hidden else _answers(item, place)
    if not question.strip():
        return Faulty(question_id, "empty question")
    if not answers and not hidden:
        return Faulty(question_id, "empty list of answers")
    if not all(map(has_content, answers)):
        return Faulty(question_id, "empty answer")
    turn = Turn(question=question, answer="" if hidden else answers[0])
    return Sample(id=question_id, clip=clip, turns=(turn,), references=answers)


def _answers(item: dict[str, Any], place: str) -> tuple[str, ...]:
    answers = required(item, "answers", list, place)
    if not all(isinstance(answer, str) for answer in answers):
        raise InputError(
            f"{place}: field 'answers': found {answers!r}, expected a list of strings; use the "
            "file as published"
        )
    return tuple(answers)


def prompt(sample: Sample, turn: int) -> str:
    """The bare question."""
    return sample.turns[turn].question


SOURCE = Source(
    splits={
        "train": SplitSource((FILES["train"],), quoted(25_563, "questions"), quoted(562, "scenes")),
        "val": SplitSource((FILES["val"],), quoted(4_675, "questions"), quoted(71, "scenes")),
        "test_w_obj": SplitSource(
            (FILES["test_w_obj"],),
            quoted(4_976, "questions"),
            quoted(70, "scenes"),
            answers_public=False,
        ),
    },
    further=(INSTRUCT,),
    licence=f"questions CC BY-NC-SA 3.0; {scannet.LICENCE}",
    access=(
        "the JSON files lie on the public drive that the ScanQA repository "
        f"(https://github.com/ATR-DBI/ScanQA) links to, no form; for the scenes {scannet.ACCESS}"
    ),
    disk=f"some MB of JSON; {scannet.DISK}",
)

BENCHMARK = Benchmark(
    name="scanqa",
    title="ScanQA",
    group="3d",
    modality="depth",
    splits=tuple(FILES),
    metrics=(*EXACT_MATCH_METRICS, *CAPTION_METRICS),
    read=read,
    prompt=prompt,
    score=score_phrases,
    source=SOURCE,
)
