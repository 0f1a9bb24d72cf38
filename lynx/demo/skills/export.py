"""Write a world of skills to disk in Ego-Exo4D's own layout: takes with two cameras each."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from pathlib import Path

from lynx.benchmarks.egoexo import INSTRUCT, OFFICIAL
from lynx.benchmarks.egoexo_takes import downscaled
from lynx.demo.film import film_all, film_room, write_film
from lynx.demo.skills.cameras import film_person
from lynx.demo.skills.take import QUESTION, TASKS, SkillTake, skill_take
from lynx.demo.world.settings import WorldSettings
from lynx.demo.world_files import write_json, write_readme

ANNOTATIONS, VIDEOS = "egoexo", "egoexo_videos"
SECONDS = 8

_ABOUT = """\
- `egoexo/`: the official files of the demonstrator proficiency benchmark, and the instruct file
  that holds the prompt. In the scenario Dance the skill is the colour of the floor that the ego
  camera sees; in Rock Climbing it is that of the holds, which only the other camera sees.
- `egoexo_videos/takes/<take>/frame_aligned_videos/downscaled/448/<camera>.mp4`: H.264
  without sound.
"""


def export_skills(target: Path, settings: WorldSettings, workers: int) -> None:
    """Render the world `settings` into the folder `target`, with `workers` processes.

    Its bytes do not depend on `workers`. The labels of Ego-Exo4D's test are hidden, so the world
    has none.
    """
    indices = [index for split in OFFICIAL for index in settings.scene_indices(split)]
    write = partial(_write_take, target / VIDEOS, settings)
    film_all(write, indices, workers, "take")
    for split, name in OFFICIAL.items():
        takes = [skill_take(settings.seed, k) for k in settings.scene_indices(split)]
        rows = [_row(take) for take in takes]
        write_json(target / ANNOTATIONS / name, {"annotations": rows})
        if split == "train":
            write_json(target / ANNOTATIONS / INSTRUCT[split], [_instruct(take) for take in takes])
    write_readme(target, "lynx.demo.skills", _ABOUT, settings)


def _uid(take: SkillTake) -> str:
    return f"{take.scene.index:08d}-0000-4000-8000-000000000000"


def _paths(take: SkillTake) -> dict[str, str]:
    folder = f"takes/room_{take.scene.index:04d}/frame_aligned_videos"
    return {"ego": f"{folder}/aria_1.mp4", "exo1": f"{folder}/cam01.mp4"}


def _write_take(folder: Path, settings: WorldSettings, index: int) -> None:
    take, count = skill_take(settings.seed, index), settings.frames_per_scene
    films = {"ego": film_room(take.scene, count), "exo1": film_person(take, count)}
    for name, path in _paths(take).items():
        write_film(folder / downscaled(path, name), films[name], Fraction(count, SECONDS))


def _row(take: SkillTake) -> dict[str, object]:
    return {
        "take_uid": _uid(take),
        "scenario_name": take.scenario,
        "task_name": TASKS[take.scenario],
        "origin_participant_id": take.scene.index,
        "proficiency_score": take.label,
        "video_paths": _paths(take),
    }


def _instruct(take: SkillTake) -> dict[str, object]:
    said = [
        {"from": "human", "value": f"<image>\n{QUESTION}"},
        {"from": "gpt", "value": take.label},
    ]
    return {"id": _uid(take), "video": _uid(take), "conversations": said}
