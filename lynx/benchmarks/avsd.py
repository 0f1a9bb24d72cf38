"""AVSD of DSTC7 (Alamri et al. 2019): the last answer of a dialog about a home video of 30 s.

Protocol ("released" behaviour of PAVE and LynX): training cuts a dialog into conversations of five
turns and teaches every answer; the test asks the last question behind the whole history with its
gold answers. One reference a dialog: the tables of the challenge have six, on another CIDEr scale.
Captions and summaries are not shown to the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lynx.benchmarks.annotation import (
    Annotation,
    Faulty,
    annotation_file,
    listed,
    objects,
    read_json,
    required,
    texts_of,
    unique,
    within_budget,
)
from lynx.benchmarks.grouping import assemble, group_members, references_of
from lynx.benchmarks.instruct import (
    Exchange,
    Record,
    fault_of,
    read_instruct,
    turns_of,
)
from lynx.benchmarks.mappings import clip_id, clip_of, existing, files_of, read_mapping
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scores import Scores
from lynx.benchmarks.source import Source, SplitSource, counted
from lynx.benchmarks.tags import with_tags
from lynx.errors import InputError
from lynx.metrics.captions import CAPTION_METRICS, caption_scores
from lynx.metrics.coverage import cover

FILES = {
    "train": "avsd_train.json",
    "test": "mock_test_set4DSTC10-AVSD_from_DSTC7_singref.json",
}
DSTC7_TRAIN = "train_set4DSTC7-AVSD.json"
INSTRUCT = "avsd_train_instruct.json"
MAPPING = "avsd_all_videos_mapping.json"

# What the challenge's own test file holds in the place of the last answer.
HIDDEN = "__UNDISCLOSED__"
TURNS = 5
LEFT_OVER = f"turn behind the last whole conversation of {TURNS}"

_HOW_TO_GET = (
    f"download avsd_train.json from video-dialog.com or {DSTC7_TRAIN} of the DSTC7 AVSD track, the "
    "single-reference test file of the DSTC10 AVSD track, and the videos of Charades"
)


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read a split from its official file; training from the first of its three that is there.

    Turns that fill no conversation of their own are no samples; ``dropped`` counts them. A last
    answer that is undisclosed gives a sample without references.

    Raises:
        InputError: the split or file is unknown, a field is missing or of the wrong type, a video
            has two dialogs, a clip id is no plain name, or more than the share ``allow_missing``
            of the conversations is unusable.
    """
    path, mapping = _file(annotations_root, split), annotations_root / MAPPING
    left_over = 0
    if path.name == INSTRUCT:
        items = [_from_record(record) for record in read_instruct(path)]
    elif split == "train":
        dialogs = list(_dialogs_by_video(path) if path.name == FILES["train"] else _dialogs(path))
        left_over = sum(len(said) % TURNS for _, said in dialogs)
        items = [item for clip, said in dialogs for item in _conversations(clip, said)]
    else:
        items = [_whole(clip, said) for clip, said in _dialogs(path)]
    samples, dropped = within_budget(path, items, allow_missing)
    samples, tags = with_tags(path, samples)
    if left_over:
        dropped[LEFT_OVER] = left_over
    clip_files = files_of(samples, read_mapping(mapping), lambda clip: f"{clip}.mp4")
    return Annotation(samples, dropped, [path, *existing(mapping), *tags], clip_files)


def _file(annotations_root: Path, split: str) -> Path:
    """What the split is read from: of training PAVE's input, else DSTC7's file, else instruct."""
    names = (FILES["train"], DSTC7_TRAIN, INSTRUCT) if split == "train" else ()
    found = existing(*(annotations_root / name for name in names))
    return found[0] if found else annotation_file(annotations_root, FILES, split, _HOW_TO_GET)


def _dialogs_by_video(path: Path) -> Iterator[tuple[str, list[Exchange]]]:
    """Dialogs of a file with one object a video, as PAVE's converter reads it."""
    content = read_json(path)
    if not isinstance(content, dict):
        raise InputError(
            f"{path}: found no JSON object, expected {{video id: {{'data': turns}}}}; use the file "
            "as published"
        )
    for video in content:
        place = f"{path}: video {video!r}"
        dialog = required(content, video, dict, str(path))
        yield clip_id(video, place), _exchanges(dialog, "data", place)


def _dialogs(path: Path) -> Iterator[tuple[str, list[Exchange]]]:
    """Dialogs of a file of the challenge, which lists them."""
    items = listed(path, "dialogs")
    videos = texts_of(items, "image_id", str, f"{path}, 'dialogs'")
    unique(videos, str(path), "video")  # a video's id names its samples
    for video, item in zip(videos, items, strict=True):
        place = f"{path}: video {video!r}"
        yield clip_id(video, place), _exchanges(item, "dialog", place)


def _exchanges(item: dict[str, Any], key: str, place: str) -> list[Exchange]:
    turns = objects(required(item, key, list, place), f"{place}: field {key!r}")
    return [
        (
            required(turn, "question", str, f"{place}, turn {number}"),
            required(turn, "answer", str, f"{place}, turn {number}"),
        )
        for number, turn in enumerate(turns, start=1)
    ]


def _conversations(clip: str, said: Sequence[Exchange]) -> Iterator[Sample | Faulty]:
    for number in range(len(said) // TURNS):
        part = said[number * TURNS : (number + 1) * TURNS]
        yield _taught(f"{clip}_{number}", clip, part)


def _from_record(record: Record) -> Sample | Faulty:
    return _taught(record.id, clip_of(record.video, record.place), record.exchanges)


def _taught(name: str, clip: str, said: Sequence[Exchange]) -> Sample | Faulty:
    reason = fault_of(said)
    if reason or any(answer == HIDDEN for _, answer in said):
        return Faulty(name, reason or "hidden answer")
    return Sample(id=name, clip=clip, turns=turns_of(said), references=(said[-1][1],))


def _whole(clip: str, said: list[Exchange]) -> Sample | Faulty:
    if not said:
        return Faulty(clip, "empty dialog")
    reason = fault_of(said)
    if reason or any(answer == HIDDEN for _, answer in said[:-1]):
        return Faulty(clip, reason or "hidden answer in the history")
    question, answer = said[-1]
    if answer == HIDDEN:
        return Sample(
            id=clip, clip=clip, turns=turns_of([*said[:-1], (question, "")]), references=()
        )
    return Sample(id=clip, clip=clip, turns=turns_of(said), references=(answer,))


def prompt(sample: Sample, turn: int) -> str:
    """The bare question; the turns before it stand in the chat with their answers."""
    return sample.turns[turn].question


def score(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """The caption metrics over the raw texts, one reference each.

    Raises:
        InputError: an answer is not public, or as ``lynx.metrics.captions.caption_scores`` does.
    """
    references = references_of(samples)
    members = group_members(samples)
    coverage = cover(predictions, references)
    # The caption metrics know a group by one string, here its position.
    captions = caption_scores(
        predictions, references, {str(index): ids for index, ids in enumerate(members.values())}
    )
    groups = {key: captions.groups[str(index)] for index, key in enumerate(members)}
    return assemble(coverage, captions.overall, members, groups, captions.per_item)


SOURCE = Source(
    splits={
        # One dialog a video, so that the videos count the dialogs; samples are pieces of them. The
        # count is of DSTC7's file: how many avsd_train.json holds, no source says for sure.
        "train": SplitSource(
            (FILES["train"],),
            clips=counted(7_659, "dialogs"),
            counted_file=DSTC7_TRAIN,
        ),
        "test": SplitSource((FILES["test"],), counted(1_710, "dialogs")),
    },
    further=(DSTC7_TRAIN, INSTRUCT, MAPPING),
    licence=(
        "Charades' videos under AI2's non-commercial licence, accepted by downloading; no licence "
        "of the dialogs is known"
    ),
    access=(
        "the dialogs lie on public drives (video-dialog.com, and the repositories of the DSTC7 and "
        "DSTC10 AVSD tracks), the videos on the page of Charades; no signature"
    ),
    disk=(
        "Charades_v1 about 13 GB at 480p, about 55 GB in original size (published, not measured), "
        "and the test videos, a tar of their own"
    ),
)

BENCHMARK = Benchmark(
    name="avsd",
    title="AVSD",
    group="audio",
    modality="audio",
    splits=tuple(FILES),
    metrics=CAPTION_METRICS,
    read=read,
    prompt=prompt,
    score=score,
    source=SOURCE,
)
