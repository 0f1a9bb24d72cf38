"""Video-MME (Fu et al. 2024): 2,700 questions on 900 videos of three lengths, without subtitles.

Protocol ("released" behaviour of LynX, taken over from lmms-eval): the instruction mentions
subtitles, which this protocol has none of; the answer is generated, and its letter is the first
capital A to D behind stock phrases. The three lengths have 900 questions each, so that the overall
accuracy is their mean. With subtitles: `lynx.benchmarks.videomme_subtitles`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lynx.benchmarks.annotation import (
    Annotation,
    Faulty,
    objects,
    optional_text,
    read_json,
    required,
    texts_of,
    unique,
    within_budget,
)
from lynx.benchmarks.choices import plain_letter, score_choices
from lynx.benchmarks.mappings import ClipFiles, clip_id
from lynx.benchmarks.parquet import read_parquet
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample, Turn
from lynx.benchmarks.scores import Scores
from lynx.benchmarks.source import Source, SplitSource, counted
from lynx.benchmarks.tags import with_tags
from lynx.errors import InputError
from lynx.metrics.letters import first_letter
from lynx.metrics.multiple_choice import Rule

TABLE, TABLES = "videomme/test.json", "videomme/test-*.parquet"
ENDINGS = (".mp4", ".MP4", ".mkv")
LETTERS = ("A", "B", "C", "D")
DURATIONS = ("short", "medium", "long")
INSTRUCTION = (
    "Select the best answer to the following multiple-choice question based on the video and the "
    "subtitles. Respond with only the letter (A, B, C, or D) of the correct option."
)
CLOSING = "Answer with the option's letter from the given choices directly."

HOW_TO_GET = (
    "copy the folder videomme of lmms-lab/Video-MME on the Hugging Face hub, and its archives "
    "unpacked to data and subtitle"
)


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read the split ``test`` from the hub dataset's Parquet, or from the same rows as JSON.

    Raises:
        InputError: the split or file is unknown, Parquet cannot be read here, a field is missing or
            of the wrong type, an id occurs twice, options are not those of A to D, an answer is
            beyond them, a video id is no plain name, or more than the share ``allow_missing`` of
            the questions is unusable.
    """
    if split != "test":
        raise InputError(f"split: found {split!r}, expected one of test; correct the recipe")
    paths = _tables(annotations_root)
    rows = [row for path in paths for row in _rows(path)]
    place = str(paths[0])
    ids = texts_of(rows, "question_id", str, place)
    unique(ids, place)
    items = [
        _sample(row, name, f"{place}: question {name!r}")
        for name, row in zip(ids, rows, strict=True)
    ]
    samples, dropped = within_budget(paths[0], items, allow_missing)
    samples, tags = with_tags(paths[0], samples)
    return Annotation(samples, dropped, [*paths, *tags], clip_files(annotations_root, samples))


def _tables(root: Path) -> list[Path]:
    if (root / TABLE).is_file():
        return [root / TABLE]
    found = sorted(root.glob(TABLES))
    if not found:
        raise InputError(
            f"{root / TABLES}: file not found, expected the test annotation; {HOW_TO_GET}"
        )
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return read_parquet(path, instead=TABLE)
    return objects(read_json(path), str(path))


def _sample(row: dict[str, Any], name: str, place: str) -> Sample | Faulty:
    clip = clip_id(required(row, "videoID", str, place), place)
    question = required(row, "question", str, place)
    duration = _one_of(row, "duration", DURATIONS, place)
    answer = _one_of(row, "answer", LETTERS, place)
    options = tuple(_options(row, place))
    if not question.strip():
        return Faulty(name, "empty question")
    domain = optional_text(row, "domain", place)
    return Sample(
        id=name,
        clip=clip,
        turns=(Turn(question=question, answer=answer),),
        references=(answer,),
        type=optional_text(row, "task_type", place),
        tags={"duration": duration} | ({} if domain is None else {"domain": domain}),
        options=options,
    )


def _one_of(row: dict[str, Any], key: str, known: Sequence[str], place: str) -> str:
    value = required(row, key, str, place)
    if value not in known:
        raise InputError(
            f"{place}: field {key!r}: found {value!r}, expected one of {', '.join(known)}; use the "
            "table as published"
        )
    return value


def _options(row: dict[str, Any], place: str) -> Iterator[str]:
    """The options without their letters: the published ones carry "A. " to "D. " already."""
    values = required(row, "options", list, place)
    if len(values) != len(LETTERS):
        raise _not_options(values, place)
    for letter, value in zip(LETTERS, values, strict=True):
        if not isinstance(value, str) or not value.startswith(f"{letter}."):
            raise _not_options(values, place)
        yield value.removeprefix(f"{letter}.").strip()


def _not_options(values: Sequence[object], place: str) -> InputError:
    return InputError(
        f"{place}: field 'options': found {values!r}, expected four texts that open with 'A.', "
        "'B.', 'C.' and 'D.'; use the table as published"
    )


def clip_files(root: Path, samples: Sequence[Sample]) -> ClipFiles:
    """The video of each clip below data/, with the ending that is there; else `.mp4`."""
    clips = dict.fromkeys(sample.clip for sample in samples)
    return {clip: (_video(root, clip),) for clip in clips}


def _video(root: Path, clip: str) -> str:
    names = [f"data/{clip}{ending}" for ending in ENDINGS]
    return next((name for name in names if (root / name).is_file()), names[0])


def question_lines(sample: Sample, turn: int) -> list[str]:
    """Instruction, question, and the options behind their letters."""
    options = [
        f"{letter}. {option}" for letter, option in zip(LETTERS, sample.options, strict=True)
    ]
    return [INSTRUCTION, sample.turns[turn].question, *options]


def prompt(sample: Sample, turn: int) -> str:
    """Instruction, question, options, a blank line, and the instruction in other words."""
    return "\n".join([*question_lines(sample, turn), "", CLOSING])


def _first_letter(text: str, gold: str) -> bool:
    return first_letter(text, LETTERS) == gold


RULES: dict[str, Rule] = {"accuracy": _first_letter, "strict_accuracy": plain_letter(LETTERS)}


def score(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """Accuracy of the letters, read leniently and strictly; groups: task type, duration, domain.

    Raises:
        InputError: as ``lynx.benchmarks.choices.score_choices`` does.
    """
    return score_choices(samples, predictions, RULES)


SOURCE = Source(
    splits={
        "test": SplitSource(
            (TABLES,),
            counted(2_700, "questions"),
            counted(900, "videos"),
            groups={name: counted(900, "questions") for name in DURATIONS},
        )
    },
    further=(TABLE,),
    licence="for research, no redistribution; the videos are YouTube's content",
    access=(
        "the table, archives of videos and of subtitles lie in lmms-lab/Video-MME on the Hugging "
        "Face hub, no form; take the state after June 2024, when broken videos were replaced"
    ),
    disk="about 100 GB of archives (published, not measured), and as much unpacked",
)

BENCHMARK = Benchmark(
    name="videomme",
    title="Video-MME",
    group="fast",
    modality="fast",
    splits=("test",),
    metrics=tuple(RULES),
    read=read,
    prompt=prompt,
    score=score,
    source=SOURCE,
)
