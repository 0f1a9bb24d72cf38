"""Write a world of sounds to disk in AVQA's own layout: JSON files and clips with sound."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from lynx.demo.film import film_all, film_room_with_sound
from lynx.demo.sounds.noises import RATE, SECONDS, hear
from lynx.demo.sounds.questions import sound_questions
from lynx.demo.world import build_scene
from lynx.demo.world.settings import SPLITS, WorldSettings
from lynx.demo.world_files import write_json, write_readme

ANNOTATIONS, VIDEOS = "avqa", "avqa_videos"
FILES = {"train": "train_qa.json", "val": "val_qa.json"}

_ABOUT = f"""\
- `avqa/`: AVQA's files. Questions of the relation View are answered by the pictures, those of the
  relation Sound only by what is heard.
- `avqa_videos/<video_name>.mp4`: H.264 and AAC, {SECONDS} s. A room is seen, and one or two noises
  are heard that nobody sees the source of.
"""


def export_sounds(target: Path, settings: WorldSettings, workers: int) -> None:
    """Render the world `settings` into the folder `target`, with `workers` processes.

    Its bytes do not depend on `workers`. AVQA has no test, and the world neither.
    """
    indices = [index for split in FILES for index in settings.scene_indices(split)]
    write = partial(_write_clip, target / VIDEOS, settings)
    film_all(write, indices, workers, "clip")
    for split, name in FILES.items():
        write_json(target / ANNOTATIONS / name, _records(settings, split))
    write_readme(target, "lynx.demo.sounds", _ABOUT, settings)


def video_name(index: int) -> str:
    """Eleven characters and a start second, as clips of VGGSound are named."""
    return f"clip{index:07d}_000030"


def _write_clip(folder: Path, settings: WorldSettings, index: int) -> None:
    path, scene = folder / f"{video_name(index)}.mp4", build_scene(settings.seed, index)
    sound = hear(settings.seed, index).sound()
    film_room_with_sound(path, scene, settings.frames_per_scene, sound, RATE)


def _records(settings: WorldSettings, split: str) -> list[dict[str, object]]:
    asked = [
        (index, question)
        for index in settings.scene_indices(split)
        for question in sound_questions(
            build_scene(settings.seed, index), hear(settings.seed, index)
        )
    ]
    first = 1_000_000 * SPLITS.index(split)  # ids are unique over the splits
    return [
        item.record(video_name(index), index, first + number)
        for number, (index, item) in enumerate(asked)
    ]
