"""Hand-made and altered demo scenes for the tests of the demo world."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from lynx.demo.world.scene import (
    CameraPath,
    Furniture,
    Hidden,
    Rectangle,
    Room,
    Scene,
    build_scene,
)

LEVEL_PATH = CameraPath(
    x=0.0,
    y=0.0,
    height=1.0,
    yaw=0.0,
    pitch=0.0,
    sway=0.1,
    yaw_swing=0.1,
    pitch_swing=0.0,
    phase=0.0,
)


def with_hidden(scene: Scene, **facts: Any) -> Scene:
    """The scene with some of the facts that only depth shows changed."""
    return replace(scene, hidden=replace(scene.hidden, **facts))


def plain_scene(*objects: Furniture, scale: float = 1.0) -> Scene:
    """A bare room whose back wall is at y = 4, a level camera 1 above the floor at the origin."""
    room = Room(
        half_width=2.0, front=-1.0, back=4.0, height=2.4, floor_colour="red", wall_colour="blue"
    )
    hidden = Hidden("medium", scale, door_open=False, panel_is_window=False, coin=False)
    return Scene(0, 0, room, objects, None, None, LEVEL_PATH, hidden)


def scene_with_door_and_panel(seed: int) -> Scene:
    """The first scene of a seed that has both a door and a panel."""
    scenes = (build_scene(seed, index) for index in range(100))
    return next(scene for scene in scenes if scene.door and scene.panel)


CENTRED_DOOR = Rectangle(left=-0.5, right=0.5, low=0.0, high=2.0)


def centre(image: np.ndarray) -> int:
    """The pixel on the optical axis of an image with odd side lengths."""
    height, width = image.shape
    return int(image[height // 2, width // 2])
