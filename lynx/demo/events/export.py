"""Write a world of short events to disk: LLaVA-Video-178K to train on, and three scored sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lynx.benchmarks.llava_video import CONFIGS, official_file
from lynx.demo.events.happening import FRAMES, SECONDS, flashes
from lynx.demo.events.light import film_flashes
from lynx.demo.events.prompts import choice_prompts
from lynx.demo.events.questions import flash_choices, still_choices
from lynx.demo.events.scored_sets import Film, write_mlvu, write_mvbench, write_videomme
from lynx.demo.film import film_all, write_film
from lynx.demo.world import build_scene
from lynx.demo.world.scene import stream
from lynx.demo.world.settings import WorldSettings
from lynx.demo.world_files import write_json, write_readme

TRAINING = "llava_video"
SCORED: Mapping[str, Callable[[Path, int, Sequence[int]], list[Film]]] = {
    "videomme": write_videomme,
    "mvbench": write_mvbench,
    "mlvu": write_mlvu,
}
_PICK_STREAM = 18

_ABOUT = f"""\
- `llava_video/`: the open-ended files and videos of four configurations of LLaVA-Video-178K, two
  questions a video. They are put as the scored sets put theirs.
- `videomme/`, `mvbench/`, `mlvu/`: the sets in their hub layouts, annotations and videos; the test
  clips of this world are dealt out to them. Where a task of MVBench asks about a part of its video
  (`start`, `end`), another clip of the set comes before it. Half of Video-MME's videos have
  subtitles, which tell nothing.
- `<annotation>.tags.json`: what each question needs, `fast` (dense frames alone show how the light
  flashes) or `colour` (any frame shows it), and its kind.

Videos are H.264 without sound, a clip {SECONDS} s of {FRAMES} frames. A flash lies between the
frames that are chosen when four are spread over a video.
"""


def export_events(target: Path, settings: WorldSettings, workers: int) -> None:
    """Render the world `settings` into the folder `target`, with `workers` processes.

    Its bytes do not depend on `workers`. The sets have no validation split, and the world none.
    """
    films = [
        replace(film, file=f"{TRAINING}/{film.file}")
        for film in _write_training(target / TRAINING, settings)
    ]
    clips = list(settings.scene_indices("test"))
    for place, (name, write_set) in enumerate(SCORED.items()):
        own = clips[place :: len(SCORED)]
        films += [
            replace(film, file=f"{name}/{film.file}")
            for film in write_set(target / name, settings.seed, own)
        ]
    write = partial(_write_film, target, settings)
    film_all(write, films, workers, "video")
    write_readme(target, "lynx.demo.events", _ABOUT, settings)


def _write_training(root: Path, settings: WorldSettings) -> list[Film]:
    films: list[Film] = []
    for place, config in enumerate(CONFIGS):
        source = "academic_source" if "academic" in config else "liwei_youtube_videos"
        records = []
        for index in settings.scene_indices("train")[place :: len(CONFIGS)]:
            name = f"room{index:07d}"
            video = f"{source}/{name}.mp4"
            films.append(Film(f"{config}/{video}", index))
            records += [_record(name, video, *said) for said in _said(settings.seed, index)]
        write_json(root / official_file(config), records)
    return films


def _said(seed: int, index: int) -> list[tuple[str, str]]:
    """Two questions with their answers: one about flashes, one about what any frame shows."""
    scene = build_scene(seed, index)
    rng = stream(seed, _PICK_STREAM, index)
    said = []
    for choices in (flash_choices(scene, flashes(seed, index)), still_choices(scene)):
        choice = choices[int(rng.integers(len(choices)))]
        prompts = choice_prompts(choice)
        said.append((prompts[int(rng.integers(len(prompts)))], choice.letter))
    return said


def _record(name: str, video: str, question: str, answer: str) -> dict[str, object]:
    said = [
        {"from": "human", "value": f"<image>\n{question}"},
        {"from": "gpt", "value": answer},
    ]
    return {"id": name, "video": video, "conversations": said}


def _write_film(target: Path, settings: WorldSettings, film: Film) -> None:
    shown = [film.index] if film.before is None else [film.before, film.index]
    frames = np.concatenate([_happening(settings, index) for index in shown])
    write_film(target / film.file, frames, Fraction(FRAMES, SECONDS))


def _happening(settings: WorldSettings, index: int) -> NDArray[np.uint8]:
    scene = build_scene(settings.seed, index)
    return film_flashes(scene, settings.frames_per_scene, flashes(settings.seed, index))
