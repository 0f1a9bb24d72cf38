"""Takes of the skill world: what decides the skill of a person, and which camera shows it.

Levels have colours, as routes in a climbing hall and mats in a dance school have. A climber's
route is seen by the second camera alone; a dancer's mat is the floor, which the dancer's own camera
shows.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import Literal

from lynx.benchmarks.egoexo_takes import CLASSES
from lynx.demo.world.palette import COLOURS
from lynx.demo.world.scene import Scene, build_scene, stream

Scenario = Literal["Dance", "Rock Climbing"]
SCENARIOS: tuple[Scenario, ...] = ("Dance", "Rock Climbing")
TASKS = {"Dance": "Dancing on a mat", "Rock Climbing": "Climbing a wall"}

LEVEL_COLOURS = COLOURS[:4]  # of a dancer's floor and a climber's holds, by class
OTHER_FLOORS = COLOURS[4:]  # a climber's floor tells nothing

QUESTION = (
    "How skilled is the person in the video? Novice, Early Expert, Intermediate Expert or Late "
    "Expert? Example Output: Early Expert"
)

_TAKE_STREAM, _FLOOR_STREAM = 12, 15
_BLOCK = tuple(itertools.product(SCENARIOS, range(len(CLASSES))))


@dataclass(frozen=True)
class SkillTake:
    """A take: the room in which the ego camera films, the scenario and the class."""

    scene: Scene
    scenario: Scenario
    level: int

    @property
    def label(self) -> str:
        """The name of the class."""
        return CLASSES[self.level]

    @property
    def needs(self) -> str:
        """Which camera shows the skill: the other one (`view`), or the ego camera."""
        return "view" if self.scenario == "Rock Climbing" else "colour"


def skill_take(seed: int, index: int) -> SkillTake:
    """The take of a number; each block of eight takes holds every class of each scenario once."""
    order = stream(seed, _TAKE_STREAM, index // len(_BLOCK)).permutation(len(_BLOCK))
    scenario, level = _BLOCK[order[index % len(_BLOCK)]]
    scene = build_scene(seed, index)
    floors = (LEVEL_COLOURS[level],) if scenario == "Dance" else OTHER_FLOORS
    floor = floors[int(stream(seed, _FLOOR_STREAM, index).integers(len(floors)))]
    room = dataclasses.replace(scene.room, floor_colour=floor)
    return SkillTake(dataclasses.replace(scene, room=room), scenario, level)
