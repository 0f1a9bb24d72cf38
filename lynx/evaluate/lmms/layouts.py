"""The hub datasets' layouts in which the local tasks of each benchmark find their data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lynx.benchmarks.annotation import objects, read_json, required, texts_of
from lynx.benchmarks.choices import option_texts
from lynx.benchmarks.mappings import clip_id, file_name
from lynx.benchmarks.mlvu import TASKS as MLVU_STEMS
from lynx.benchmarks.mvbench import SPLITS, require_replaced
from lynx.benchmarks.parquet import read_parquet
from lynx.errors import InputError
from lynx.evaluate.lmms.local_tasks import (
    Item,
    LocalTasks,
    Table,
    package_module,
    require_folder,
)

MVBENCH = {
    "action_sequence": ("star/Charades_segment", "star/Charades_v1_480"),
    "action_prediction": ("star/Charades_segment", "star/Charades_v1_480"),
    "object_interaction": ("star/Charades_segment", "star/Charades_v1_480"),
    "action_localization": ("sta/sta_video_segment", "sta/sta_video"),
}
"""Tasks whose clips are parts of videos -> the folder of cut clips, the folder of whole videos."""

VIDEOMME_COLUMNS = (
    "question_id", "videoID", "duration", "domain", "sub_category", "task_type", "question",
    "options", "answer",
)  # fmt: skip
"""What lmms-eval reads of a row of Video-MME."""

MLVU_COLUMNS = ("video_name", "question", "answer", "task_type")
"""What lmms-eval reads of a row of MLVU."""

MLVU_LETTERS = "ABCDEFGH"

MVBENCH_FOLDERS = {
    "ssv2_video_mp4": "ssv2_video",
    "nturgbd_convert": "nturgbd",
}
"""Folders that lmms-eval reads on the branch `video` -> their names on the main branch."""


def videomme(root: Path, folder: Path, split: str = "test") -> LocalTasks:
    """`lmms-lab/Video-MME`: videomme/test-*.parquet, or test.json of the same rows, and data/."""
    del folder, split  # there is one
    require_folder(root, "data", "unpack the archives of lmms-lab/Video-MME there")
    table = root / "videomme/test.json"
    paths = (table,) if table.is_file() else tuple(sorted(root.glob("videomme/test-*.parquet")))
    if not paths:
        raise InputError(
            f"{root / 'videomme'}: found no test-*.parquet, expected the table of "
            "lmms-lab/Video-MME; copy its folder videomme"
        )
    rows = list(_rows(paths))
    _require_columns(paths[0], rows, VIDEOMME_COLUMNS)
    items = tuple(
        Item(
            str(row["question_id"]),
            clip_id(str(row["videoID"]), _place(paths[0], number)),
            str(row["duration"]),
        )
        for number, row in enumerate(rows)
    )
    return LocalTasks(
        (Table("videomme", "videomme/videomme.yaml", paths, items, "test"),), {"videomme": root}
    )


def _require_columns(path: Path, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    """lmms-eval would fail on an absent column only when all questions have been answered."""
    for number, row in enumerate(rows):
        for name in names:
            if name not in row:
                raise InputError(
                    f"{_place(path, number)}: found no field {name!r}, expected it because "
                    "lmms-eval scores by it; use the table as published"
                )


def _place(path: Path, number: int) -> str:
    """A row of a table, in a sentence about it."""
    return f"{path}, item {number} (from 0)"


def _videos(path: Path, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The video of each row; none leaves the folder of videos."""
    videos = texts_of(rows, "video", str, str(path))
    return [file_name(video, _place(path, number)) for number, video in enumerate(videos)]


def mvbench(root: Path, folder: Path, split: str = "test") -> LocalTasks:
    """`OpenGVLab/MVBench`: json/<task>.json, and the unpacked videos in video/ of either branch.

    The split names the tasks, as `lynx.benchmarks.mvbench` does.

    Clips that the branch `video` holds cut are taken from there; where that folder is absent, they
    are parts of the main branch's whole videos.
    """
    folders = package_module("mvbench").DATA_LIST
    media = require_folder(root, "video", "unpack the archives of OpenGVLab/MVBench there")
    require_replaced(root)
    known = {task: root / f"json/{task}.json" for task in sorted(SPLITS[split])}
    read = [
        _mvbench_table(
            task, folders[task], _with_endings(path, media / folders[task], folder), media
        )
        for task, path in known.items()
        if path.is_file()
    ]
    tables = tuple(table for table in read if table.items)
    if not tables:
        raise InputError(
            f"{root / 'json'}: found no task of MVBench, expected for instance "
            "action_sequence.json; copy the folder json of OpenGVLab/MVBench"
        )
    links = {f"mvbench_video/{name}": media / name for name in sorted(set(folders.values()))}
    for name, other in [*MVBENCH.values(), *MVBENCH_FOLDERS.items()]:
        if not (media / name).is_dir():
            links[f"mvbench_video/{name}"] = media / other
    names = {table.task for table in tables}
    absent = tuple(task for task in known if f"mvbench_{task}" not in names)
    return LocalTasks(tables, links, absent)


def _with_endings(path: Path, media: Path, folder: Path) -> Path:
    """The table; a copy where its videos are named without `.mp4`, as episodic reasoning's are.

    The main branch names folders of frames there, the branch `video` has them as files.
    """
    rows = list(_rows([path]))
    videos = _videos(path, rows)
    bare = [
        row for row, video in zip(rows, videos, strict=True) if (media / f"{video}.mp4").is_file()
    ]
    if not bare:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    named = [{**row, "video": f"{row['video']}.mp4"} if row in bare else row for row in rows]
    copy = folder / path.name
    copy.write_text(json.dumps(named, ensure_ascii=False), encoding="utf-8")
    return copy


def _mvbench_table(task: str, folder: str, path: Path, media: Path) -> Table:
    rows = list(_rows([path]))
    videos = _videos(path, rows)
    cut = MVBENCH.get(task)
    whole = cut is not None and not (media / cut[0]).is_dir()
    if cut is not None and whole:
        folder = cut[1]
    # Folders have files of one name, and a file has several parts.
    parts = [f"@{row.get('start')}-{row.get('end')}" if whole else "" for row in rows]
    clips = [f"{folder}/{video}{part}" for video, part in zip(videos, parts, strict=True)]
    items = tuple(Item(f"{task}-{number}", clip, task) for number, clip in enumerate(clips))
    changes = {"doc_to_visual": "lynx.evaluate.lmms.cut.part_of_video"} if whole else {}
    name = f"mvbench_{task}"
    return Table(name, f"mvbench/{name}.yaml", (path,), items, "train", changes)


def mlvu(root: Path, folder: Path, split: str = "dev") -> LocalTasks:
    """`sy1998/MLVU_dev`: a test-*.parquet; else `MLVU/MVLU`: json/<n>_<task>.json; and video/.

    lmms-eval reads the first, whose questions hold their options. Of the second the same columns
    are written to `folder`, a line `(A) ...` for each option.
    """
    del split  # lmms-eval's other one has six options, of which it reads four
    media = require_folder(root, "video", "unpack the archives of MLVU/MVLU there")
    paths = tuple(sorted(root.rglob("test-*.parquet")))
    if not paths:
        rows = [row for task, stem in MLVU_STEMS.items() for row in _mlvu_rows(root, task, stem)]
        paths = (folder / "mlvu_dev.json",)
        folder.mkdir(parents=True, exist_ok=True)
        paths[0].write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    count: dict[str, int] = {}
    items: list[Item] = []
    found = list(_rows(paths))
    _require_columns(paths[0], found, MLVU_COLUMNS)
    for number, row in enumerate(found):
        task, video = str(row["task_type"]), str(row["video_name"])
        file_name(video, _place(paths[0], number))
        items.append(Item(f"{task}-{count.get(task, 0)}", video, task))
        count[task] = count.get(task, 0) + 1
    table = Table("mlvu_dev", "mlvu/mlvu_dev.yaml", paths, tuple(items), "test")
    return LocalTasks((table,), {"mlvu": media})


def _mlvu_rows(root: Path, task: str, stem: str) -> Iterator[dict[str, str]]:
    path = root / f"json/{stem}.json"
    if not path.is_file():
        raise InputError(
            f"{path}: file not found, and no test-*.parquet below {root}, expected either; copy "
            "the folder json of MLVU/MVLU, or the table of sy1998/MLVU_dev"
        )
    for number, row in enumerate(objects(read_json(path), str(path))):
        place = _place(path, number)
        option_texts(row, "candidates", len(MLVU_LETTERS), place)
        candidates = list(row["candidates"])
        if row.get("answer") not in candidates:
            raise InputError(
                f"{place}: found the answer {row.get('answer')!r}, expected one of its candidates; "
                "use the file as published"
            )
        letters = MLVU_LETTERS[: len(candidates)]
        options = [f"({letter}) {text}" for letter, text in zip(letters, candidates, strict=True)]
        yield {
            "video_name": f"{stem}/{file_name(required(row, 'video', str, place), place)}",
            "question": "\n".join([required(row, "question", str, place), *options]),
            "answer": letters[candidates.index(row["answer"])],
            "task_type": task,
        }


def _rows(paths: Sequence[Path]) -> Iterator[Mapping[str, Any]]:
    for path in paths:
        if path.suffix == ".parquet":
            yield from read_parquet(path, instead="test.json")
        else:
            yield from objects(read_json(path), str(path))


LAYOUTS: dict[str, Callable[..., LocalTasks]] = {
    "videomme": videomme,
    "mvbench": mvbench,
    "mlvu": mlvu,
}


def read_layout(benchmark: str, root: Path, folder: Path, split: str | None = None) -> LocalTasks:
    """The tasks of a benchmark on the folder `root`; `folder` takes what has to be written.

    Without a split it is the one that the benchmark is scored on.

    Raises:
        InputError: there are no tasks for the benchmark, or the folder lacks something.
    """
    if benchmark not in LAYOUTS:
        raise InputError(
            f"--benchmark {benchmark}: has no tasks of lmms-eval here, expected one of "
            f"{', '.join(LAYOUTS)}; choose one"
        )
    read = LAYOUTS[benchmark]
    return read(root, folder) if split is None else read(root, folder, split)
