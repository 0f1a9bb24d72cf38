"""MLVU (Zhou et al. 2024): questions on long videos of 3 minutes to 2 hours; the public dev set.

Its 7 multiple-choice tasks are read. The two of generation (sub_scene, summary) are not: GPT-4
judges them, so there is no G-Avg here. Protocol ("released" behaviour of LynX): an instruction, the
question, options behind letters in brackets, "Answer:", and the answer is generated; its letter is
the first that stands alone in either case, so the article "a" reads as A. M-Avg is the mean of the
tasks' accuracies; the accuracy over all questions, which the released code reports, is beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lynx.benchmarks.annotation import (
    Annotation,
    Faulty,
    annotation_file,
    objects,
    read_json,
    required,
    usable,
    within_budget,
)
from lynx.benchmarks.choices import (
    LETTERS,
    bracketed,
    letter_alone,
    letter_of_option,
    option_texts,
    plain_letter,
    score_choices,
)
from lynx.benchmarks.mappings import ClipFiles, file_name
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample, Turn
from lynx.benchmarks.scores import Scores
from lynx.benchmarks.source import Source, SplitSource, counted
from lynx.benchmarks.tags import with_tags
from lynx.errors import InputError
from lynx.metrics.multiple_choice import Rule

TASKS = {
    "plotQA": "1_plotQA",
    "needle": "2_needle",
    "ego": "3_ego",
    "count": "4_count",
    "order": "5_order",
    "anomaly_reco": "6_anomaly_reco",
    "topic_reasoning": "7_topic_reasoning",
}
"""Task -> its file below json/ and its folder below video/."""

MOST_OPTIONS = 4
INSTRUCTION = (
    "Select the best answer to the following multiple-choice question based on the video. Respond "
    "with only the letter (A, B, C, or D) of the correct option."
)

_HOW_TO_GET = (
    "accept the agreement of MLVU/MVLU on the Hugging Face hub and copy the folders json and video "
    "of its folder MLVU"
)


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read the 7 multiple-choice tasks of the split ``dev``.

    Raises:
        InputError: the split or a task's file is unknown, a field is missing or of the wrong type,
            an answer is none of the options, a name leaves the media root, or more than the share
            ``allow_missing`` of the questions is unusable.
    """
    if split != "dev":
        raise InputError(f"split: found {split!r}, expected one of dev; correct the recipe")
    names = {task: f"json/{stem}.json" for task, stem in TASKS.items()}
    paths = {task: annotation_file(annotations_root, names, task, _HOW_TO_GET) for task in names}
    items = [item for task, path in paths.items() for item in usable(path, _task(path, task))]
    samples, dropped = within_budget(annotations_root / "json", items, allow_missing)
    samples, tags = with_tags(annotations_root / "json", samples)
    clip_files: ClipFiles = {sample.clip: (f"video/{_file(sample.clip)}",) for sample in samples}
    return Annotation(samples, dropped, [*paths.values(), *tags], clip_files)


def _file(clip: str) -> str:
    """``1_plotQA--x.mp4`` as the file that it is, below video/."""
    return clip.replace("--", "/", 1)


def _task(path: Path, task: str) -> Iterator[Sample | Faulty]:
    for number, item in enumerate(objects(read_json(path), str(path))):
        yield _sample(item, task, f"{task}-{number}", f"{path}, item {number} (from 0)")


def _sample(item: dict[str, Any], task: str, name: str, place: str) -> Sample | Faulty:
    video = file_name(required(item, "video", str, place), place)
    if "/" in video:
        raise InputError(
            f"{place}: field 'video': found {video!r}, expected a file name without folders; use "
            "the file as published"
        )
    question = required(item, "question", str, place)
    options = option_texts(item, "candidates", MOST_OPTIONS, place)
    letter = letter_of_option(options, item.get("answer"), place)
    if not question.strip():
        return Faulty(name, "empty question")
    return Sample(
        id=name,
        clip=f"{TASKS[task]}--{video}",
        turns=(Turn(question=question, answer=letter),),
        references=(letter,),
        type=task,
        options=options,
    )


def prompt(sample: Sample, turn: int) -> str:
    """Instruction, question, one line an option, and a last line to go on from."""
    return "\n".join([INSTRUCTION, sample.turns[turn].question, *bracketed(sample), "Answer:"])


RULES: dict[str, Rule] = {
    "accuracy": letter_alone(LETTERS[:MOST_OPTIONS], any_case=True),
    "strict_accuracy": plain_letter(LETTERS[:MOST_OPTIONS]),
}
TASK_MEANS = {"mean_accuracy": "accuracy"}


def score(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """M-Avg, the accuracy over all questions, and that of plain letters; groups: tasks.

    Raises:
        InputError: as ``lynx.benchmarks.choices.score_choices`` does.
    """
    return score_choices(samples, predictions, RULES, TASK_MEANS)


_PUBLISHED = {
    "plotQA": 539,
    "needle": 355,
    "ego": 352,
    "count": 206,
    "order": 259,
    "anomaly_reco": 200,
    "topic_reasoning": 264,
}
SOURCE = Source(
    splits={
        "dev": SplitSource(
            tuple(f"json/{stem}.json" for stem in TASKS.values()),
            counted(2_175, "questions"),
            groups={task: counted(count, "questions") for task, count in _PUBLISHED.items()},
        )
    },
    further=(),
    licence="CC BY-NC-SA 4.0",
    access="accept the agreement of MLVU/MVLU on the Hugging Face hub",
    disk="not known; plan for several hundred GB",
)

BENCHMARK = Benchmark(
    name="mlvu",
    title="MLVU",
    group="fast",
    modality="fast",
    splits=("dev",),
    metrics=(*TASK_MEANS, *RULES),
    read=read,
    prompt=prompt,
    score=score,
    source=SOURCE,
)
