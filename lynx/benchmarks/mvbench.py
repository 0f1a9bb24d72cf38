"""MVBench (Li et al. 2024): 20 tasks of 200 questions on what happens over time in short videos.

Protocol ("released" behaviour of LynX, taken over from lmms-eval): question, options behind letters
in brackets, "Only give the best option.", and the answer is generated; its letter is the first that
stands alone. The average is over the accuracies of the tasks. A blank answer is wrong: lmms-eval
leaves it out of the count.

Clips of five tasks are parts of their videos. Those of four are cut here, to the seconds that the
annotation gives. Episodic reasoning comes as folders of frames, which are not read; its cut videos
stand in for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
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
from lynx.benchmarks.mappings import file_name
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample, Turn
from lynx.benchmarks.scores import Scores
from lynx.benchmarks.source import Source, SplitSource, counted
from lynx.benchmarks.tags import with_tags
from lynx.errors import InputError
from lynx.media.clip_table import Bounds
from lynx.metrics.multiple_choice import Rule


@dataclass(frozen=True)
class Task:
    """Where the videos of a task lie below ``video/``, and whether its clips are parts of them."""

    folder: str
    cut: bool = False


TASKS = {
    "action_sequence": Task("star/Charades_v1_480", cut=True),
    "action_prediction": Task("star/Charades_v1_480", cut=True),
    "action_antonym": Task("ssv2_video"),
    "fine_grained_action": Task("Moments_in_Time_Raw/videos"),
    "unexpected_action": Task("FunQA_test/test"),
    "object_existence": Task("clevrer/video_validation"),
    "object_interaction": Task("star/Charades_v1_480", cut=True),
    "object_shuffle": Task("perception/videos"),
    "moving_direction": Task("clevrer/video_validation"),
    "action_localization": Task("sta/sta_video", cut=True),
    "scene_transition": Task("scene_qa/video"),
    "action_count": Task("perception/videos"),
    "moving_count": Task("clevrer/video_validation"),
    "moving_attribute": Task("clevrer/video_validation"),
    "state_change": Task("perception/videos"),
    "fine_grained_pose": Task("nturgbd"),
    "character_order": Task("perception/videos"),
    "egocentric_navigation": Task("vlnqa"),
    "episodic_reasoning": Task("tvqa/video_fps3_hq_segment"),
    "counterfactual_inference": Task("clevrer/video_validation"),
}
POSE = "fine_grained_pose"
SPLITS = {"test": tuple(TASKS), "test_without_pose": tuple(task for task in TASKS if task != POSE)}
MOST_OPTIONS = 5

_FRAMES = Path("video/tvqa/frames_fps3_hq")
_SEGMENTS = Path("video") / TASKS["episodic_reasoning"].folder
_REPLACED = Path("video/data0613")
_HOW_TO_GET = (
    "accept the terms of OpenGVLab/MVBench on the Hugging Face hub and copy its folders json and "
    "video, with the archives in video unpacked"
)


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read all tasks of a split.

    Raises:
        InputError: the split or a task's file is unknown, a field is missing or of the wrong type,
            an answer is none of the options, a part is no part, a name leaves the media root,
            episodic reasoning has its frames alone, replaced videos lie apart, or more than the
            share ``allow_missing`` of the questions is unusable.
    """
    if split not in SPLITS:
        raise InputError(
            f"split: found {split!r}, expected one of {', '.join(SPLITS)}; correct the recipe"
        )
    names = {task: f"json/{task}.json" for task in SPLITS[split]}
    paths = {task: annotation_file(annotations_root, names, task, _HOW_TO_GET) for task in names}
    _require_segments(annotations_root)
    require_replaced(annotations_root)
    rows = {path: [*_rows(path, task)] for task, path in paths.items()}
    items = [item for path, found in rows.items() for item in usable(path, map(_sample, found))]
    samples, dropped = within_budget(annotations_root / "json", items, allow_missing)
    samples, tags = with_tags(annotations_root / "json", samples)
    asked = {sample.clip for sample in samples}
    shown = {row.clip: row for found in rows.values() for row in found if row.clip in asked}
    return Annotation(
        samples,
        dropped,
        [*paths.values(), *tags],
        {clip: (row.file,) for clip, row in shown.items()},
        {clip: row.bounds for clip, row in shown.items() if row.bounds is not None},
    )


def _require_segments(root: Path) -> None:
    if (root / _FRAMES).is_dir() and not (root / _SEGMENTS).is_dir():
        raise InputError(
            f"{root / _FRAMES}: found folders of frames, expected videos because clips are read "
            f"from video files; copy the folder {TASKS['episodic_reasoning'].folder} of the hub "
            f"dataset's branch 'video' to {root / _SEGMENTS}"
        )


def require_replaced(root: Path) -> None:
    """Refuse an archive of replaced videos that was unpacked beside the folders they belong to.

    Questions of June 2024 ask about videos of `data0613.zip`, named as if they were in the others.
    """
    for path in sorted((root / _REPLACED).rglob("*.mp4")):
        name = path.relative_to(root / _REPLACED)
        if not (root / "video" / name).is_file():
            raise InputError(
                f"{path}: found a replaced video, expected it at {root / 'video' / name}, where "
                f"the annotation names it; copy them all, `cp -r {root / _REPLACED}/. "
                f"{root / 'video'}/`"
            )


@dataclass(frozen=True)
class _Row:
    """An item as published, with the file below the media root that shows it."""

    id: str
    task: str
    item: dict[str, Any]
    file: str
    bounds: Bounds | None
    place: str

    @property
    def clip(self) -> str:
        """One clip for each part of each file, whatever task asks about it."""
        name = self.file.removeprefix("video/").replace("/", "--")
        return name if self.bounds is None else f"{name}@{self.bounds[0]}-{self.bounds[1]}"


def _rows(path: Path, task: str) -> Iterator[_Row]:
    for number, item in enumerate(objects(read_json(path), str(path))):
        place = f"{path}, item {number} (from 0)"
        video = required(item, "video", str, place)
        if task == "episodic_reasoning" and not video.endswith(".mp4"):
            video += ".mp4"  # the annotation names the folder of frames
        file = file_name(f"video/{TASKS[task].folder}/{video}", place)
        bounds = _bounds(item, place) if TASKS[task].cut else None
        yield _Row(f"{task}-{number}", task, item, file, bounds, place)


def _bounds(item: dict[str, Any], place: str) -> Bounds:
    start, end = (_seconds(item, key, place) for key in ("start", "end"))
    if not 0 <= start < end:
        raise InputError(
            f"{place}: found a clip from {start:g} s to {end:g} s, expected an end behind the "
            "start; use the file as published"
        )
    return start, end


def _seconds(item: dict[str, Any], key: str, place: str) -> float:
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise InputError(
            f"{place}: field {key!r}: found {value!r}, expected seconds because clips of this task "
            "are parts of their videos; use the file as published"
        )
    return float(value)


def _sample(row: _Row) -> Sample | Faulty:
    question = required(row.item, "question", str, row.place)
    options = option_texts(row.item, "candidates", MOST_OPTIONS, row.place)
    letter = letter_of_option(options, row.item.get("answer"), row.place)
    if not question.strip():
        return Faulty(row.id, "empty question")
    return Sample(
        id=row.id,
        clip=row.clip,
        turns=(Turn(question=question, answer=letter),),
        references=(letter,),
        type=row.task,
        options=options,
    )


def prompt(sample: Sample, turn: int) -> str:
    """Question, options and instruction, each line closed by a line break."""
    question = f"Question:{sample.turns[turn].question}"
    return "\n".join([question, "Option:", *bracketed(sample), "Only give the best option.", ""])


RULES: dict[str, Rule] = {
    "accuracy": letter_alone(LETTERS[:MOST_OPTIONS], any_case=False),
    "strict_accuracy": plain_letter(LETTERS[:MOST_OPTIONS]),
}
TASK_MEANS = {"mean_accuracy": "accuracy"}


def score(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """Mean of the tasks' accuracies, accuracy over all questions, and that of plain letters.

    Raises:
        InputError: as ``lynx.benchmarks.choices.score_choices`` does.
    """
    return score_choices(samples, predictions, RULES, TASK_MEANS)


SOURCE = Source(
    splits={
        split: SplitSource(
            tuple(f"json/{task}.json" for task in tasks),
            counted(200 * len(tasks), "questions"),
            groups={task: counted(200, "questions") for task in tasks},
        )
        for split, tasks in SPLITS.items()
    },
    further=(),
    licence="MIT for the questions; the videos stay under the terms of their 11 sources",
    access=(
        "accept the terms of OpenGVLab/MVBench on the Hugging Face hub with name, organisation "
        "and mail; the videos of fine_grained_pose (NTU RGB+D) need a request of their own there"
    ),
    disk="about 17 GB (published, not measured)",
)

BENCHMARK = Benchmark(
    name="mvbench",
    title="MVBench",
    group="fast",
    modality="fast",
    splits=tuple(SPLITS),
    metrics=(*TASK_MEANS, *RULES),
    read=read,
    prompt=prompt,
    score=score,
    source=SOURCE,
)
