"""Scenes of the demo world: drawn from seed and index alone, balanced in what is hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from lynx.demo.world import build_scene
from lynx.demo.world.scene import SCALE_RANGES, Scene


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [build_scene(0, index) for index in range(480)]


def test_a_scene_depends_on_seed_and_index_alone(scenes: list[Scene]) -> None:
    assert build_scene(0, 37) == scenes[37]
    assert build_scene(1, 37) != scenes[37]


def test_every_block_of_24_scenes_holds_every_combination_of_hidden_facts(
    scenes: list[Scene],
) -> None:
    for start in range(0, len(scenes), 24):
        facts = Counter(
            (h.size_class, h.door_open, h.panel_is_window, h.coin)
            for h in (scene.hidden for scene in scenes[start : start + 24])
        )
        assert len(facts) == 24
        assert {scene.block for scene in scenes[start : start + 24]} == {start // 24}


def test_scale_lies_in_the_range_of_its_class(scenes: list[Scene]) -> None:
    for scene in scenes:
        low, high = SCALE_RANGES[scene.hidden.size_class]
        assert low <= scene.scale <= high


def test_shares_of_object_counts_and_fixtures(scenes: list[Scene]) -> None:
    counts = Counter(len(scene.objects) for scene in scenes)
    for number, share in {1: 0.40, 2: 0.35, 3: 0.25}.items():
        assert counts[number] / len(scenes) == pytest.approx(share, abs=0.06)
    for name in ("door", "panel"):
        assert np.mean([getattr(scene, name) is not None for scene in scenes]) > 0.8


def test_colours_and_categories_of_a_scene_are_distinct(scenes: list[Scene]) -> None:
    for scene in scenes:
        colours = [piece.colour for piece in scene.objects]
        colours += [scene.room.floor_colour, scene.room.wall_colour]
        assert len(set(colours)) == len(colours)
        categories = [piece.category for piece in scene.objects]
        assert len(set(categories)) == len(categories)


def test_what_is_visible_does_not_tell_the_size_class(scenes: list[Scene]) -> None:
    """Visible quantities have the same mean in all size classes, within sampling error."""
    quantities: dict[str, Callable[[Scene], float]] = {
        "objects": lambda s: len(s.objects),
        "wall": lambda s: s.room.back,
        "height": lambda s: s.room.height,
        "camera": lambda s: s.path.height,
        "distance": lambda s: s.objects[0].y,
    }
    for name, quantity in quantities.items():
        groups = [
            np.array([quantity(s) for s in scenes if s.hidden.size_class == size])
            for size in SCALE_RANGES
        ]
        spread = np.concatenate(groups).std()
        means = [group.mean() for group in groups]
        assert (max(means) - min(means)) / spread < 0.35, name
