"""Ego-Exo4D demonstrator proficiency (Grauman et al. 2024): how skilled is the person in a take.

Protocol ("released" behaviour of PAVE and LynX): a fixed prompt, which only the instruct file
holds, is answered with one of four class names. The official file adds what an instruct file lacks,
scenario and views: the video is the ego view, the exo views follow it. The released code shows one
view twice; its mapping file is read where the official file is missing. Papers report ``val``, the
labels of the test are hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lynx.benchmarks.annotation import (
    Annotation,
    Faulty,
    annotation_file,
    numbered,
    within_budget,
)
from lynx.benchmarks.choices import score_choices
from lynx.benchmarks.egoexo_takes import CLASSES, Take, class_name, read_takes
from lynx.benchmarks.instruct import Record, fault_of, read_instruct, turns_of
from lynx.benchmarks.mappings import ClipFiles, clip_of, read_mapping
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scores import Scores
from lynx.benchmarks.source import Source, SplitSource
from lynx.errors import InputError
from lynx.metrics.multiple_choice import Rule, class_of
from lynx.metrics.substring import contains

SPLITS = ("train", "val")
OFFICIAL = {split: f"proficiency_demonstrator_{split}.json" for split in SPLITS}
INSTRUCT = {split: f"proficiency_demonstrator_{split}_instruct.json" for split in SPLITS}
MAPPING = "from_take_id_to_video.json"

_HOW_TO_GET = (
    "sign the Ego-Exo4D licence, get the official files with `egoexo --parts annotations "
    "--benchmarks proficiency_demonstrator`, and get proficiency_demonstrator_train_instruct.json, "
    "which holds the prompt, from the data release of PAVE"
)


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read a split from its instruct file, with the views and scenarios of the official file.

    No instruct file of ``val`` is published: without one, ``val`` is the official file asked with
    the one prompt of the training file. A take with several records is one clip.

    Raises:
        InputError: the split or a file is unknown, a field is missing or of the wrong type, the
            last answer is no class name, the files disagree on a take, a name leaves the media
            root, or more than the share ``allow_missing`` of the records is unusable.
    """
    source = _prompt_file(annotations_root, split)
    official = annotations_root / OFFICIAL[split]
    takes = read_takes(official) if official.is_file() else {}
    if source.name == INSTRUCT[split]:
        records = read_instruct(source)
    else:
        records = _asked(takes, _only_prompt(source), official)
    clip_files, from_file = _clip_files(annotations_root, takes, official)
    samples, dropped = within_budget(
        source, _samples(records, takes, clip_files, from_file), allow_missing
    )
    clips = dict.fromkeys(sample.clip for sample in samples)
    return Annotation(
        samples, dropped, [source, from_file], {clip: clip_files[clip] for clip in clips}
    )


def _prompt_file(annotations_root: Path, split: str) -> Path:
    if split == "val" and not (annotations_root / INSTRUCT["val"]).is_file():
        annotation_file(annotations_root, OFFICIAL, "val", _HOW_TO_GET)
        return annotation_file(annotations_root, INSTRUCT, "train", _HOW_TO_GET)
    return annotation_file(annotations_root, INSTRUCT, split, _HOW_TO_GET)


def _only_prompt(source: Path) -> str:
    prompts = {record.single()[0] for record in read_instruct(source)}
    if len(prompts) != 1:
        raise InputError(
            f"{source}: found {len(prompts)} different prompts, expected one to ask the official "
            f"validation file with; put {INSTRUCT['val']} beside the file"
        )
    return prompts.pop()


def _asked(takes: Mapping[str, Take], prompt_text: str, official: Path) -> list[Record]:
    rows = [(uid, label) for uid, take in takes.items() for label in take.labels]
    names = numbered((uid for uid, _ in rows), str(official))
    return [
        Record(name, uid, ((prompt_text, label),), f"{official}: take {uid!r}", uid)
        for name, (uid, label) in zip(names, rows, strict=True)
    ]


def _clip_files(
    annotations_root: Path, takes: Mapping[str, Take], official: Path
) -> tuple[ClipFiles, Path]:
    """The views of every take that is listed, and the file that lists them."""
    if official.is_file():
        return {uid: take.views for uid, take in takes.items()}, official
    mapping = annotations_root / MAPPING
    if not mapping.is_file():
        raise InputError(
            f"{official}: file not found, expected it, or {MAPPING} beside it, to name the videos; "
            f"{_HOW_TO_GET}"
        )
    return {uid: (name,) for uid, name in read_mapping(mapping).items()}, mapping


def _samples(
    records: Sequence[Record], takes: Mapping[str, Take], clip_files: ClipFiles, from_file: Path
) -> Iterator[Sample | Faulty]:
    for record in records:
        take = clip_of(record.video, record.place)
        reason = fault_of(record.exchanges)
        if take not in clip_files:
            reason = f"take without a video in {from_file.name}"
        if reason:
            yield Faulty(record.id, reason)
            continue
        gold = class_name(record.exchanges[-1][1], record.place)
        _require_same_label(gold, takes.get(take), record, from_file)
        yield Sample(
            id=record.id,
            clip=take,
            turns=turns_of(record.exchanges),
            references=(gold,),
            tags={"scenario": takes[take].scenario} if takes else {},
        )


def _require_same_label(gold: str, take: Take | None, record: Record, official: Path) -> None:
    if take is not None and gold not in take.labels:
        raise InputError(
            f"{record.place}: found the answer {gold!r}, expected {' or '.join(take.labels)} as in "
            f"{official}; get both files of one split again"
        )


def prompt(sample: Sample, turn: int) -> str:
    """The prompt as the instruct file holds it."""
    return sample.turns[turn].question


def _names_class(text: str, gold: str) -> bool:
    return class_of(text, CLASSES) == gold


RULES: dict[str, Rule] = {"accuracy": _names_class, "substring_accuracy": contains}


def score(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """Top-1 accuracy of the class named, and by substring (comparable); groups: scenarios.

    Raises:
        InputError: as ``lynx.benchmarks.choices.score_choices`` does.
    """
    return score_choices(samples, predictions, RULES)


SOURCE = Source(
    splits={
        "train": SplitSource((OFFICIAL["train"], INSTRUCT["train"])),
        # The prompt that validation is asked with stands in the training file.
        "val": SplitSource((OFFICIAL["val"], INSTRUCT["train"])),
    },
    further=(INSTRUCT["val"], MAPPING),
    licence="Ego-Exo4D's licence agreement, signed by each person or institution",
    access=(
        "sign the licence on the Ego-Exo4D site, wait about two days for AWS keys, which expire, "
        "and fetch with `egoexo` (pip install ego4d); the prompt is in PAVE's data release"
    ),
    disk=(
        "the 448-pixel takes of this benchmark: not known; the annotations of everything take "
        "10.5 GB, the full-size takes 10.6 TB"
    ),
)

BENCHMARK = Benchmark(
    name="egoexo",
    title="Ego-Exo4D proficiency",
    group="egoexo",
    modality="view",
    splits=SPLITS,
    metrics=tuple(RULES),
    read=read,
    prompt=prompt,
    score=score,
    source=SOURCE,
)
