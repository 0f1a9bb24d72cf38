"""Rendering of the demo world: depth by hand, and the facts that RGB must not show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynx.demo.world import (
    build_scene,
    mean_camera,
    metric_pose,
    render_frame,
    scene_cameras,
)
from lynx.demo.world.camera import Camera, intrinsics
from lynx.demo.world.furniture import CATEGORIES
from lynx.demo.world.palette import COLOURS, PALETTE
from lynx.demo.world.scene import Furniture, Scene
from tests.unit.world_scenes import (
    CENTRED_DOOR,
    centre,
    plain_scene,
    scene_with_door_and_panel,
    with_hidden,
)

LEVEL = Camera((0.0, 0.0, 1.0), yaw=0.0, pitch=0.0)


def test_depth_of_the_back_wall_is_its_distance_along_z() -> None:
    depth = render_frame(plain_scene(), LEVEL, 65, 49).depth
    assert centre(depth) == 4000
    # The middle row looks level: z-depth does not grow towards the sides of a frontal wall. Rays to
    # the outermost pixels (tangent 32 / 52 = 0.615) meet the side wall at x = 2 first: z = 3.25.
    assert depth[24, 12] == depth[24, 32] == 4000
    assert depth[24, 0] == depth[24, 64] == pytest.approx(1000 * 2.0 * 52 / 32, abs=1)


def test_depth_of_the_floor_below() -> None:
    depth = render_frame(plain_scene(), LEVEL, 65, 49).depth
    focal = 0.8 * 4 / 3 * 49
    # 20 rows below the axis a ray sinks by 20 / focal a unit, so by 1 within focal / 20 units.
    assert depth[44, 32] == pytest.approx(1000 * focal / 20, abs=1)


def test_depth_and_labels_of_a_box() -> None:
    cabinet = Furniture("cabinet", "green", x=0.0, y=2.0, yaw=0.0, size=1.0)
    frame = render_frame(plain_scene(cabinet), LEVEL, 65, 49)
    # The middle ray meets the dark gap, 0.245 in front of the cabinet's middle; six pixels to the
    # left the cabinet's front, 0.23 in front of its middle.
    assert centre(frame.depth) == 1755
    assert frame.depth[24, 26] == 1770
    assert centre(frame.category) == CATEGORIES.index("cabinet") + 1
    assert centre(frame.object_color) == COLOURS.index("green") + 1
    assert frame.category[0, 0] == frame.object_color[0, 0] == 0


def test_a_turned_box_is_met_at_its_turned_face() -> None:
    cabinet = Furniture("cabinet", "green", x=0.0, y=2.0, yaw=np.pi / 2, size=1.0)
    # Turned by a quarter, the side (half width 0.42) faces the camera.
    assert centre(render_frame(plain_scene(cabinet), LEVEL, 65, 49).depth) == 1580


def test_surface_colours_are_the_named_ones() -> None:
    frame = render_frame(plain_scene(), LEVEL, 65, 49)
    for pixel, name in ((frame.color[48, 32], "red"), (frame.color[24, 32], "blue")):
        assert np.abs(pixel.astype(int) - PALETTE[name]).max() <= 6


@pytest.mark.parametrize(("is_open", "expected"), [(False, 4000), (True, 7200)])
def test_an_open_door_shows_the_end_of_the_corridor(is_open: bool, expected: int) -> None:
    scene = replace(plain_scene(), door=CENTRED_DOOR)
    assert (
        centre(render_frame(with_hidden(scene, door_open=is_open), LEVEL, 65, 49).depth) == expected
    )


@pytest.mark.parametrize(("is_window", "expected"), [(False, 4000), (True, 10000)])
def test_a_window_shows_what_is_far_away(is_window: bool, expected: int) -> None:
    scene = replace(plain_scene(), panel=CENTRED_DOOR)
    changed = with_hidden(scene, panel_is_window=is_window)
    assert centre(render_frame(changed, LEVEL, 65, 49).depth) == expected


def _frames(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    frames = [render_frame(scene, camera, 40, 30) for camera in scene_cameras(scene, 4)]
    return np.stack([f.color for f in frames]), np.stack([f.depth for f in frames])


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    scale=st.floats(0.35, 2.4),
    door_open=st.booleans(),
    panel_is_window=st.booleans(),
)
def test_hidden_facts_change_no_colour_pixel(
    seed: int, scale: float, door_open: bool, panel_is_window: bool
) -> None:
    scene = scene_with_door_and_panel(seed)
    changed = with_hidden(scene, scale=scale, door_open=door_open, panel_is_window=panel_is_window)
    np.testing.assert_array_equal(_frames(scene)[0], _frames(changed)[0])


@pytest.mark.parametrize("fact", ["door_open", "panel_is_window"])
def test_door_and_panel_change_depth_where_they_are_and_nowhere_else(fact: str) -> None:
    scene = scene_with_door_and_panel(3)
    shut = _frames(with_hidden(scene, door_open=False, panel_is_window=False))[1].astype(int)
    through = _frames(
        with_hidden(scene, **{"door_open": False, "panel_is_window": False, fact: True})
    )
    deeper = through[1].astype(int) - shut
    assert (deeper >= 0).all()
    assert 0.005 < (deeper > 0).mean() < 0.15
    assert np.median(deeper[deeper > 0] / shut[deeper > 0]) > 0.25


def test_scale_multiplies_depth() -> None:
    scene = scene_with_door_and_panel(3)
    one, double = (_frames(with_hidden(scene, scale=s))[1].astype(int) for s in (1.0, 2.0))
    assert np.abs(double - 2 * one).max() <= 1


@pytest.mark.parametrize(
    ("scale", "near", "far"), [(0.4, 500, 1800), (1.0, 1200, 4600), (2.2, 2700, 11000)]
)
def test_depth_ranges_of_the_size_classes(scale: float, near: int, far: int) -> None:
    """Furniture and room of 30 scenes lie within the documented limits."""
    for index in range(30):
        scene = with_hidden(
            build_scene(5, index), scale=scale, door_open=False, panel_is_window=False
        )
        frame = render_frame(scene, mean_camera(scene), 64, 48)
        furniture = frame.depth[frame.category > 0]
        assert near < furniture.min()
        assert frame.depth.max() < far


def test_every_piece_is_seen_by_the_mean_camera() -> None:
    for index in range(60):
        scene = build_scene(7, index)
        frame = render_frame(scene, mean_camera(scene), 56, 56)
        for piece in scene.objects:
            seen = frame.category == CATEGORIES.index(piece.category) + 1
            assert seen.sum() > 20, (index, piece)
            assert (frame.object_color[seen] == COLOURS.index(piece.colour) + 1).all()


def _lift(depth: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """World points (H, W, 3) in metres of a depth image."""
    height, width = depth.shape
    matrix = intrinsics(width, height)
    v, u = np.mgrid[:height, :width]
    z = depth / 1000
    x, y = (u - matrix[0, 2]) / matrix[0, 0] * z, (v - matrix[1, 2]) / matrix[1, 1] * z
    points: np.ndarray = np.stack([x, y, z], axis=-1) @ pose[:3, :3].T + pose[:3, 3]
    return points


@pytest.mark.parametrize("scale", [0.4, 2.2])
def test_points_of_one_frame_are_found_in_another(scale: float) -> None:
    """Depth, calibration and metric poses of two frames describe the same room."""
    scene = with_hidden(scene_with_door_and_panel(11), scale=scale, door_open=True)
    cameras = scene_cameras(scene, 5)
    first, second = (render_frame(scene, camera, 320, 240).depth for camera in cameras[1:3])
    points = _lift(first, metric_pose(scene, cameras[1])).reshape(-1, 3)
    pose = metric_pose(scene, cameras[2])
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    matrix = intrinsics(320, 240)
    u = np.rint(matrix[0, 0] * local[:, 0] / local[:, 2] + matrix[0, 2]).astype(int)
    v = np.rint(matrix[1, 1] * local[:, 1] / local[:, 2] + matrix[1, 2]).astype(int)
    inside = (u >= 0) & (u < 320) & (v >= 0) & (v < 240)
    error = np.abs(second[v[inside], u[inside]] / 1000 - local[inside, 2]) / local[inside, 2]
    # What the other camera cannot see behind an edge is the exception.
    assert inside.mean() > 0.5
    assert np.mean(error < 0.03) > 0.93


def test_camera_axes() -> None:
    rotation = LEVEL.rotation
    np.testing.assert_allclose(rotation @ [0, 0, 1], [0, 1, 0], atol=1e-12)  # forward: world y
    np.testing.assert_allclose(rotation @ [0, 1, 0], [0, 0, -1], atol=1e-12)  # down: world -z
    np.testing.assert_allclose(rotation @ [1, 0, 0], [1, 0, 0], atol=1e-12)  # right: world x
    tilted = Camera((0, 0, 0), yaw=0.3, pitch=-0.2)
    forward = tilted.rotation @ [0, 0, 1]
    assert forward[0] < 0  # yaw turns to the left
    assert forward[2] < 0  # negative pitch looks down
    np.testing.assert_allclose(tilted.rotation.T @ tilted.rotation, np.eye(3), atol=1e-12)
    assert np.linalg.det(tilted.rotation) == pytest.approx(1)
