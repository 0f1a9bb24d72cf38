"""AVQA (Yang et al. 2022): four-way questions on 10 s clips that need both sound and picture.

Protocol ("released" behaviour of LynX): the prompt lists the four options and mentions subtitles,
which nobody provides; training teaches the letter, and at evaluation the letter with the highest
logit is the answer. Papers report ``val``, there is no other test. One denominator: the released
scorer leaves questions without a video out, here they stay in as wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lynx.benchmarks.annotation import (
    Annotation,
    Faulty,
    annotation_file,
    objects,
    optional_text,
    read_json,
    required,
    texts_of,
    unique,
    within_budget,
)
from lynx.benchmarks.choices import plain_letter, score_choices
from lynx.benchmarks.instruct import Record, fault_of, read_instruct, stands_in
from lynx.benchmarks.mappings import clip_id, clip_of, existing, files_of, read_mapping
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample, Turn
from lynx.benchmarks.scores import Scores
from lynx.benchmarks.source import Source, SplitSource, quoted
from lynx.errors import InputError

FILES = {"train": "train_qa.json", "val": "val_qa.json"}
INSTRUCT = "avqa_train_qa_instruct.json"
MAPPING = "avqa_from_vid_to_video_name.json"

LETTERS = ("A", "B", "C", "D")
INSTRUCTION = (
    "Select the best answer to the following multiple-choice question based on the video and the "
    "subtitles. Respond with only the letter (A, B, C, or D) of the correct option."
)
CLOSING = "Answer with the option's letter from the given choices directly."

_PROMPT = re.compile(
    "\n".join([re.escape(INSTRUCTION), "(.*)", *(rf"{letter}\.(.*)" for letter in LETTERS)])
    + re.escape(f"\n{CLOSING}"),
    re.DOTALL,
)
_HOW_TO_GET = (
    "download train_qa.json and val_qa.json from the AVQA site (mn.cs.tsinghua.edu.cn/avqa) or its "
    "repository AlyssaYoung/AVQA, and the clips from VGGSound"
)


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read a split from the official file; for training alone, from the instruct file without it.

    Raises:
        InputError: the split or file is unknown, a field is missing or of the wrong type, an id
            occurs twice, an answer is beyond the options, a clip id is no plain name, or more than
            the share ``allow_missing`` of the questions is unusable.
    """
    instruct, mapping = annotations_root / INSTRUCT, annotations_root / MAPPING
    if split == "train" and stands_in(instruct, annotations_root / FILES["train"]):
        path = instruct
        samples, dropped = within_budget(
            path, map(_from_record, read_instruct(path)), allow_missing
        )
    else:
        path = annotation_file(annotations_root, FILES, split, _HOW_TO_GET)
        samples, dropped = within_budget(path, _official(path), allow_missing)
    clip_files = files_of(samples, read_mapping(mapping), lambda clip: f"{clip}.mp4")
    return Annotation(samples, dropped, [path, *existing(mapping)], clip_files)


def _official(path: Path) -> Iterator[Sample | Faulty]:
    items = objects(read_json(path), str(path))
    ids = texts_of(items, "id", int, str(path))
    unique(ids, str(path))
    for question_id, item in zip(ids, items, strict=True):
        yield _from_item(item, question_id, f"{path}: question {question_id!r}")


def _from_item(item: dict[str, Any], question_id: str, place: str) -> Sample | Faulty:
    clip = clip_id(required(item, "video_name", str, place), place)
    question = required(item, "question_text", str, place)
    options = _options(item, place)
    answer = required(item, "answer", int, place)
    if not 0 <= answer < len(LETTERS):
        raise InputError(
            f"{place}: field 'answer': found {answer}, expected 0 to {len(LETTERS) - 1}, the "
            "place of the right option; use the file as published"
        )
    if not question.strip():
        return Faulty(question_id, "empty question")
    relation = optional_text(item, "question_relation", place)
    return Sample(
        id=question_id,
        clip=clip,
        turns=(Turn(question=question, answer=LETTERS[answer]),),
        references=(LETTERS[answer],),
        type=optional_text(item, "question_type", place),
        tags={} if relation is None else {"relation": relation},
        options=options,
    )


def _options(item: dict[str, Any], place: str) -> tuple[str, ...]:
    values = required(item, "multi_choice", list, place)
    if len(values) != len(LETTERS) or any(isinstance(value, list | dict) for value in values):
        raise InputError(
            f"{place}: field 'multi_choice': found {values!r}, expected {len(LETTERS)} texts; use "
            "the file as published"
        )
    # Some options are null in the published files, and the prompt has shown them as "None".
    return tuple(map(str, values))


def _from_record(record: Record) -> Sample | Faulty:
    clip = clip_of(record.video, record.place)
    text, answer = record.single()
    reason = fault_of([(text, answer)])
    if reason:
        return Faulty(record.id, reason)
    parts = _PROMPT.fullmatch(text)
    if parts is None:
        raise InputError(
            f"{record.place}: found a question that is not in the prompt of the evaluation, "
            "expected training and evaluation to ask alike; put the official train_qa.json beside "
            "the file"
        )
    question, *options = parts.groups()
    if not question.strip():
        return Faulty(record.id, "empty question")
    if answer not in LETTERS:
        raise InputError(
            f"{record.place}: found the answer {answer!r}, expected one of {', '.join(LETTERS)}; "
            "use the file as published"
        )
    return Sample(
        id=record.id,
        clip=clip,
        turns=(Turn(question=question, answer=answer),),
        references=(answer,),
        options=tuple(options),
    )


def prompt(sample: Sample, turn: int) -> str:
    """Instruction, question, one line an option, and the instruction in other words."""
    options = [f"{letter}.{option}" for letter, option in zip(LETTERS, sample.options, strict=True)]
    return "\n".join([INSTRUCTION, sample.turns[turn].question, *options, CLOSING])


def score(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """Accuracy of the chosen letters.

    Raises:
        InputError: as ``lynx.benchmarks.choices.score_choices`` does.
    """
    return score_choices(samples, predictions, {"accuracy": plain_letter(LETTERS)})


SOURCE = Source(
    splits={
        "train": SplitSource((FILES["train"],), quoted(40_425, "questions")),
        "val": SplitSource((FILES["val"],), quoted(16_910, "questions")),
    },
    further=(INSTRUCT, MAPPING),
    licence=(
        "questions for research, no licence file is known; VGGSound's list is CC BY 4.0, its clips "
        "are YouTube's content"
    ),
    access=(
        "the JSON files lie on the AVQA site (mn.cs.tsinghua.edu.cn/avqa) and in the repository "
        "AlyssaYoung/AVQA, no form; the clips are VGGSound's, on the Hugging Face hub in "
        "Loie/VGGSound, or those of AVQA alone in zhuomingliu/PAVE_others"
    ),
    disk="tens of MB of JSON; clips about 60 to 100 GB (estimate)",
)

BENCHMARK = Benchmark(
    name="avqa",
    title="AVQA",
    group="audio",
    modality="audio",
    splits=tuple(FILES),
    metrics=("accuracy",),
    read=read,
    prompt=prompt,
    score=score,
    letters=LETTERS,
    source=SOURCE,
)
