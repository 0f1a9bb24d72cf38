"""Write a music world to disk in MUSIC-AVQA's own layout: JSON files and films with sound."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from lynx.demo.film import film_all, film_room_with_sound
from lynx.demo.music.instruments import RATE
from lynx.demo.music.performance import SECONDS, perform
from lynx.demo.music.questions import music_questions
from lynx.demo.world import build_scene
from lynx.demo.world.settings import SPLITS, WorldSettings
from lynx.demo.world_files import write_json, write_readme

ANNOTATIONS, VIDEOS = "music_avqa", "music_avqa_videos/MUSIC-AVQA-videos-Real"
FILES = {
    "train": "json_update/avqa-train.json",
    "val": "json_update/avqa-val.json",
    "test": "json_update/avqa-test.json",
}
ORIGINAL_TEST = "json/avqa-test.json"
TWICE_EVERY, WRONG_EVERY = 40, 20

_ABOUT = f"""\
- `music_avqa/json_update/`, `music_avqa/json/`: MUSIC-AVQA's files. As in the first release, rows
  of `json/avqa-test.json` are there twice and some answers wrong, one yes or no of {WRONG_EVERY}.
- `music_avqa_videos/MUSIC-AVQA-videos-Real/<id>.mp4`: H.264 and AAC, {SECONDS} s. A room is seen,
  and one or two instruments are heard that nobody sees: questions of the type Visual are answered
  by the pictures, all others only by the sound.
"""


def export_music(target: Path, settings: WorldSettings, workers: int) -> None:
    """Render the world `settings` into the folder `target`, with `workers` processes.

    Its bytes do not depend on `workers`.
    """
    indices = [index for split in SPLITS for index in settings.scene_indices(split)]
    write = partial(_write_clip, target / VIDEOS, settings)
    film_all(write, indices, workers, "clip")
    for split, name in FILES.items():
        records = _records(settings, split)
        write_json(target / ANNOTATIONS / name, records)
        if split == "test":
            write_json(target / ANNOTATIONS / ORIGINAL_TEST, _first_release(records))
    write_readme(target, "lynx.demo.music", _ABOUT, settings)


def _first_release(records: list[dict[str, object]]) -> list[dict[str, object]]:
    """The test as it was before its correction, so that the two files cannot be taken for another.

    The published one has 55 of 9,185 rows twice and 26 answers that the correction changed.
    """
    rows = [dict(record) for record in records]
    other = {"yes": "no", "no": "yes"}
    for row in [row for row in rows if row["anser"] in other][::WRONG_EVERY]:
        row["anser"] = other[str(row["anser"])]
    return [*rows, *rows[::TWICE_EVERY]]


def video_id(index: int) -> str:
    """Eight digits, as MUSIC-AVQA names its recordings."""
    return f"{index:08d}"


def _write_clip(folder: Path, settings: WorldSettings, index: int) -> None:
    path, scene = folder / f"{video_id(index)}.mp4", build_scene(settings.seed, index)
    sound = perform(settings.seed, index).sound()
    film_room_with_sound(path, scene, settings.frames_per_scene, sound, RATE)


def _records(settings: WorldSettings, split: str) -> list[dict[str, object]]:
    asked = [
        (video_id(index), question)
        for index in settings.scene_indices(split)
        for question in music_questions(
            build_scene(settings.seed, index), perform(settings.seed, index)
        )
    ]
    first = 1_000_000 * SPLITS.index(split)  # ids are unique over the splits
    return [item.record(video, first + number) for number, (video, item) in enumerate(asked)]
