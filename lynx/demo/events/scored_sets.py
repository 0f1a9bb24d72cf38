"""Annotations of the three scored sets of high-frame-rate video, in their own layouts.

A set is a list of clips, each with its number; what a question needs stands in tags beside the
annotation: `fast` (dense frames alone show the flashes) or `colour` (any frame shows it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lynx.benchmarks import mlvu, mvbench, videomme
from lynx.benchmarks.tags import tags_file
from lynx.demo.choice import LETTERS, Choice
from lynx.demo.events.happening import SECONDS, flashes
from lynx.demo.events.questions import FLASH_KINDS, flash_choices, still_choices
from lynx.demo.world import build_scene
from lynx.demo.world_files import write_json

Tags = dict[str, dict[str, str]]

# Which tasks of MVBench and MLVU ask about flashes, and which about what any frame shows.
MVBENCH_FLASH_TASKS = tuple(mvbench.TASKS)[::2]
MVBENCH_STILL_TASKS = tuple(mvbench.TASKS)[1::2]
MLVU_FLASH_TASKS = ("needle", "count", "order", "anomaly_reco")
MLVU_STILL_TASKS = ("plotQA", "ego", "topic_reasoning")

# Most of Video-MME's videos have subtitles; these say nothing that a question asks.
SUBTITLED_EVERY = 2
SUBTITLES = """1
00:00:00,000 --> 00:00:02,000
Look at this room.

2
00:00:05,000 --> 00:00:07,000
What is in the video?
"""


@dataclass(frozen=True)
class Asked:
    """A question about a clip: the clip's number, the question's among all, and the choice."""

    index: int
    number: int
    choice: Choice

    @property
    def needs(self) -> str:
        """Which frames show the answer."""
        return "fast" if self.choice.kind in FLASH_KINDS else "colour"

    @property
    def tags(self) -> dict[str, str]:
        """What stands beside the annotation."""
        return {"needs": self.needs, "kind": self.choice.kind}


def asked(seed: int, clips: Sequence[int]) -> list[Asked]:
    """All questions about some clips, in their order."""
    found = [
        (index, choice)
        for index in clips
        for scene in (build_scene(seed, index),)
        for choice in (*flash_choices(scene, flashes(seed, index)), *still_choices(scene))
    ]
    return [Asked(index, number, choice) for number, (index, choice) in enumerate(found)]


@dataclass(frozen=True)
class Film:
    """A video below a set's folder: the clip that it shows, perhaps behind another one."""

    file: str
    index: int
    before: int | None = None


def write_videomme(root: Path, seed: int, clips: Sequence[int]) -> list[Film]:
    """Write Video-MME's table and subtitles; gives the set's films."""
    rows, tags = [], {}
    for item in asked(seed, clips):
        place = clips.index(item.index)
        name = f"{place + 1:03d}-{item.number}"
        tags[name] = item.tags
        options = zip(LETTERS, item.choice.options, strict=True)
        rows.append(
            {
                "video_id": f"{place + 1:03d}",
                "duration": videomme.DURATIONS[place * len(videomme.DURATIONS) // len(clips)],
                "domain": "Life Record",  # of the published lists, which lmms-eval knows by heart
                "sub_category": "Daily Life",
                "url": "",
                "videoID": _film(item.index),
                "question_id": name,
                "task_type": "Action Recognition" if item.needs == "fast" else "Object Recognition",
                "question": item.choice.question,
                "options": [f"{letter}. {text}" for letter, text in options],
                "answer": item.choice.letter,
            }
        )
    write_json(root / videomme.TABLE, rows)
    write_json(tags_file(root / videomme.TABLE), tags)
    (root / "subtitle").mkdir()
    for index in clips[::SUBTITLED_EVERY]:
        (root / f"subtitle/{_film(index)}.srt").write_text(SUBTITLES, encoding="utf-8")
    return [Film(f"data/{_film(index)}.mp4", index) for index in clips]


def write_mvbench(root: Path, seed: int, clips: Sequence[int]) -> list[Film]:
    """Write MVBench's tasks; the clips of those that ask about a part follow another clip."""
    part = {"start": float(SECONDS), "end": 2.0 * SECONDS}
    places = {
        name: _Place(name, task.folder, part if task.cut else {}, behind_another=task.cut)
        for name, task in mvbench.TASKS.items()
    }
    tasks = _by_task(seed, clips, MVBENCH_FLASH_TASKS, MVBENCH_STILL_TASKS)
    return _write_tasks(root, tasks, places, clips)


def write_mlvu(root: Path, seed: int, clips: Sequence[int]) -> list[Film]:
    """Write MLVU's multiple-choice tasks."""
    places = {
        name: _Place(stem, stem, {"duration": float(SECONDS), "question_type": name})
        for name, stem in mlvu.TASKS.items()
    }
    tasks = _by_task(seed, clips, MLVU_FLASH_TASKS, MLVU_STILL_TASKS)
    return _write_tasks(root, tasks, places, clips)


@dataclass(frozen=True)
class _Place:
    """A task's file below json/, its folder below video/, and the fields its rows add."""

    stem: str
    folder: str
    fields: Mapping[str, object]
    behind_another: bool = False


def _write_tasks(
    root: Path,
    tasks: Mapping[str, Sequence[Asked]],
    places: Mapping[str, _Place],
    clips: Sequence[int],
) -> list[Film]:
    """Write each task's questions and all tags; gives the films, each once."""
    tags: Tags = {}
    films: dict[str, Film] = {}
    follows = dict(zip(clips, [*clips[1:], clips[0]], strict=True))
    for task, items in tasks.items():
        place = places[task]
        rows = [{**_row(item, f"{_film(item.index)}.mp4"), **place.fields} for item in items]
        tags |= {f"{task}-{number}": item.tags for number, item in enumerate(items)}
        for index in {item.index: None for item in items}:
            file = f"video/{place.folder}/{_film(index)}.mp4"
            films[file] = Film(file, index, follows[index] if place.behind_another else None)
        write_json(root / f"json/{place.stem}.json", rows)
    write_json(tags_file(root / "json"), tags)
    return list(films.values())


def _film(index: int) -> str:
    return f"room{index:07d}"


def _row(item: Asked, video: str) -> dict[str, object]:
    return {
        "video": video,
        "question": item.choice.question,
        "candidates": list(item.choice.options),
        "answer": item.choice.answer,
    }


def _by_task(
    seed: int, clips: Sequence[int], flash: Sequence[str], still: Sequence[str]
) -> dict[str, list[Asked]]:
    """Questions by task; those about a clip go to two, so that few folders hold its video."""
    tasks: dict[str, list[Asked]] = {task: [] for task in (*flash, *still)}
    for item in asked(seed, clips):
        names = flash if item.needs == "fast" else still
        tasks[names[clips.index(item.index) % len(names)]].append(item)
    return tasks
