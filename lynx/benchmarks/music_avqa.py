"""MUSIC-AVQA (Li et al. 2022): questions on what is heard and seen in music performances of 60 s.

Protocol ("released" behaviour of PAVE and LynX): template slots are filled, the bare question is
the prompt, and training meets every question about sound twice. The test set exists twice, and
numbers on the two are not comparable: ``test`` is the corrected release (9,129 questions); the
first one is a benchmark of its own, ``lynx.benchmarks.music_avqa_original``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lynx.benchmarks.annotation import (
    Annotation,
    Faulty,
    annotation_file,
    numbered,
    objects,
    read_json,
    required,
    texts_of,
    unique,
    within_budget,
)
from lynx.benchmarks.choices import score_choices
from lynx.benchmarks.instruct import Record, fault_of, read_instruct, stands_in, turns_of
from lynx.benchmarks.mappings import clip_id, clip_of, existing, files_of, read_mapping
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scores import Scores
from lynx.benchmarks.source import Source, SplitSource, counted
from lynx.errors import InputError
from lynx.metrics.substring import contains_any_case, equals

FILES = {
    "train": "json_update/avqa-train.json",
    "val": "json_update/avqa-val.json",
    "test": "json_update/avqa-test.json",
}
INSTRUCT = "music_avqa_train_instruct_duplicate_audio.json"
MAPPING = "music_avqa_all_videos_mapping.json"

TYPES = (
    ("Audio", "Counting"),
    ("Audio", "Comparative"),
    ("Visual", "Counting"),
    ("Visual", "Location"),
    ("Audio-Visual", "Existential"),
    ("Audio-Visual", "Counting"),
    ("Audio-Visual", "Location"),
    ("Audio-Visual", "Comparative"),
    ("Audio-Visual", "Temporal"),
)
RULES = {"substring_accuracy": contains_any_case, "exact_accuracy": equals}

_SLOT = re.compile("<.*?>")
HOW_TO_GET = (
    "copy the folders json and json_update from data/ of the repository GeWu-Lab/MUSIC-AVQA and, "
    "for the videos, follow its links"
)


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read a split from the official file; for training alone, from the instruct file without it.

    Raises:
        InputError: the split or file is unknown, a field is missing or of the wrong type, slots
            and values do not match, an id occurs twice in the corrected test, a clip id is no
            plain name, or more than the share ``allow_missing`` of the questions is unusable.
    """
    instruct, mapping = annotations_root / INSTRUCT, annotations_root / MAPPING
    if split == "train" and stands_in(instruct, annotations_root / FILES["train"]):
        path = instruct  # the questions about sound stand in it twice already
        samples, dropped = within_budget(
            path, map(_from_record, read_instruct(path)), allow_missing
        )
    else:
        path = annotation_file(annotations_root, FILES, split, HOW_TO_GET)
        rows = official_rows(path, twice=split == "train", repeats=split != "test")
        samples, dropped = within_budget(path, rows, allow_missing)
    clip_files = files_of(samples, read_mapping(mapping), published_name)
    return Annotation(samples, dropped, [path, *existing(mapping)], clip_files)


def published_name(clip: str) -> str:
    """Where the release keeps a video: ids of recordings begin with a digit ("MUCIS" is theirs)."""
    real = clip[0].isdigit()
    folder = "MUSIC-AVQA-videos-Real" if real else "MUCIS-AVQA-videos-Synthetic"
    return f"{folder}/{clip}.mp4"


def official_rows(path: Path, *, twice: bool, repeats: bool) -> Iterator[Sample | Faulty]:
    """The questions of an official file, with `twice` those about sound written down again.

    Raises:
        InputError: as ``read``; about an id that occurs again only without `repeats`.
    """
    items = objects(read_json(path), str(path))
    ids = texts_of(items, "question_id", int, str(path))
    if not repeats:
        unique(ids, str(path))
    places = [f"{path}: question {question_id!r}" for question_id in ids]
    rows = list(zip(ids, items, places, strict=True))
    if twice:
        # "Audio" is in "Audio-Visual" too ("released": the question is written down again).
        rows = [row for row in rows for _ in range(2 if _about_sound(*row[1:]) else 1)]
    names = numbered((row[0] for row in rows), str(path))
    for name, (_, item, place) in zip(names, rows, strict=True):
        yield _from_item(item, name, place)


def _about_sound(item: dict[str, Any], place: str) -> bool:
    return "Audio" in required(item, "type", str, place)


def _from_item(item: dict[str, Any], name: str, place: str) -> Sample | Faulty:
    clip = clip_id(required(item, "video_id", str, place), place)
    scenario, kind = _type(item, place)
    question = _fill(
        required(item, "question_content", str, place), _texts(item, "templ_values", place), place
    )
    exchange = (question, required(item, "anser", str, place))  # the key is misspelt in the files
    reason = fault_of([exchange])
    if reason:
        return Faulty(name, reason)
    return Sample(
        id=name,
        clip=clip,
        turns=turns_of([exchange]),
        references=(exchange[1],),
        type=f"{scenario} {kind}",
        tags={"scenario": scenario},
    )


def _from_record(record: Record) -> Sample | Faulty:
    clip = clip_of(record.video, record.place)
    exchange = record.single()
    reason = fault_of([exchange])
    if reason:
        return Faulty(record.id, reason)
    return Sample(id=record.id, clip=clip, turns=turns_of([exchange]), references=(exchange[1],))


def _type(item: dict[str, Any], place: str) -> tuple[str, str]:
    texts = _texts(item, "type", place)
    for known in TYPES:
        if texts == known:
            return known
    raise InputError(
        f"{place}: field 'type': found {list(texts)!r}, expected a scenario and one of its "
        "question types, such as Audio and Counting; use the file as published"
    )


def _texts(item: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
    """A field that holds a JSON list of strings, written as a string."""
    text = required(item, key, str, place)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputError(
            f"{place}: field {key!r}: found {text!r}, expected a JSON list of strings in a string; "
            "use the file as published"
        )
    return tuple(values)


def _fill(question: str, values: tuple[str, ...], place: str) -> str:
    slots = _SLOT.findall(question)
    if len(slots) != len(values):
        raise InputError(
            f"{place}: found {len(slots)} slots in {question!r} and {len(values)} values in "
            "'templ_values', expected a value for each slot; use the file as published"
        )
    left_to_right = iter(values)
    return _SLOT.sub(lambda _: next(left_to_right), question)


def prompt(sample: Sample, turn: int) -> str:
    """The bare question."""
    return sample.turns[turn].question


def score(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """Accuracy by substring (comparable) and of the normalised text (honest).

    Groups: the nine types, and the scenarios Audio, Visual and Audio-Visual, all micro-averaged.

    Raises:
        InputError: as ``lynx.benchmarks.choices.score_choices`` does.
    """
    return score_choices(samples, predictions, RULES)


_PUBLISHED = {
    "Audio Counting": 1_017,
    "Audio Comparative": 594,
    "Visual Counting": 1_197,
    "Visual Location": 1_225,
    "Audio-Visual Existential": 988,
    "Audio-Visual Counting": 1_265,
    "Audio-Visual Location": 920,
    "Audio-Visual Comparative": 1_101,
    "Audio-Visual Temporal": 822,
}
SOURCE = Source(
    splits={
        # Training's published counts are of the first release, or rounded: neither is this file's.
        "train": SplitSource((FILES["train"],)),
        "val": SplitSource((FILES["val"],), counted(4_568, "questions")),
        "test": SplitSource(
            (FILES["test"],),
            counted(9_129, "questions"),
            groups={kind: counted(count, "questions") for kind, count in _PUBLISHED.items()},
        ),
    },
    further=(INSTRUCT, MAPPING),
    licence="questions under the repository's MIT licence; videos for research",
    access=(
        "the JSON files lie in data/ of the repository GeWu-Lab/MUSIC-AVQA, which links to public "
        "drives with the videos, no form"
    ),
    disk="videos 36.67 GB recorded and 11.59 GB synthetic; some MB of JSON",
)

BENCHMARK = Benchmark(
    name="music_avqa",
    title="MUSIC-AVQA",
    group="audio",
    modality="audio",
    splits=tuple(FILES),
    metrics=tuple(RULES),
    read=read,
    prompt=prompt,
    score=score,
    source=SOURCE,
)
