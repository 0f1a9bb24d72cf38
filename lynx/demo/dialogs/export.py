"""Write a world of dialogs to disk in AVSD's own layout: JSON files and videos with sound."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lynx.benchmarks.avsd import FILES
from lynx.benchmarks.tags import tags_file
from lynx.demo.dialogs.talk import Said, conversations, question_at_the_end
from lynx.demo.film import film_all, film_room_with_sound
from lynx.demo.sounds.noises import RATE, SECONDS, hear
from lynx.demo.world import build_scene
from lynx.demo.world.settings import WorldSettings
from lynx.demo.world_files import write_json, write_readme

ANNOTATIONS, VIDEOS = "avsd", "avsd_videos"

_ABOUT = f"""\
- `avsd/`: AVSD's files: dialogs of ten turns to train on, and for the test one of five turns a
  video, the last of which is asked.
- `avsd/<test file>.tags.json`: what the last answer needs, `colour` (the pictures suffice) or
  `sound` (nothing that is seen or said tells it), and its kind.
- `avsd_videos/<id>.mp4`: H.264 and AAC, {SECONDS} s. A room is seen, and one or two noises
  are heard.
"""


def export_dialogs(target: Path, settings: WorldSettings, workers: int) -> None:
    """Render the world `settings` into the folder `target`, with `workers` processes.

    Its bytes do not depend on `workers`. AVSD is read in two splits, `train` and `test`, and the
    world has no other.
    """
    indices = [index for split in FILES for index in settings.scene_indices(split)]
    write = partial(_write_video, target / VIDEOS, settings)
    film_all(write, indices, workers, "video")
    annotations = target / ANNOTATIONS
    write_json(annotations / FILES["train"], _training(settings))
    dialogs, tags = _test(settings)
    write_json(annotations / FILES["test"], {"dialogs": dialogs})
    write_json(tags_file(annotations / FILES["test"]), tags)
    write_readme(target, "lynx.demo.dialogs", _ABOUT, settings)


def video_id(index: int) -> str:
    """Five capital letters and digits, as Charades names its videos."""
    return f"R{index:04d}"


def _write_video(folder: Path, settings: WorldSettings, index: int) -> None:
    path, scene = folder / f"{video_id(index)}.mp4", build_scene(settings.seed, index)
    sound = hear(settings.seed, index).sound()
    film_room_with_sound(path, scene, settings.frames_per_scene, sound, RATE)


def _training(settings: WorldSettings) -> dict[str, dict[str, object]]:
    dialogs: dict[str, dict[str, object]] = {}
    for index in settings.scene_indices("train"):
        scene = build_scene(settings.seed, index)
        halves = conversations(scene, hear(settings.seed, index))
        dialogs[video_id(index)] = {"data": [turn for half in halves for turn in _turns(half)]}
    return dialogs


def _test(settings: WorldSettings) -> tuple[list[dict[str, object]], dict[str, dict[str, str]]]:
    dialogs: list[dict[str, object]] = []
    tags: dict[str, dict[str, str]] = {}
    for index in settings.scene_indices("test"):
        said = question_at_the_end(build_scene(settings.seed, index), hear(settings.seed, index))
        name = video_id(index)
        dialogs.append({"image_id": name, "caption": "", "summary": "", "dialog": _turns(said)})
        tags[name] = {"needs": said[-1].needs, "kind": said[-1].kind}
    return dialogs, tags


def _turns(said: Sequence[Said]) -> list[dict[str, str]]:
    return [{"question": turn.question, "answer": turn.answer} for turn in said]
