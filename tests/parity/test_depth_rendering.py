"""Published numbers of depth rendering and RGB-D frame choice (parity checks 21 to 27)."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynx.errors import InputError
from lynx.media.frame_sampling import farthest_point_indices, uniform_indices
from lynx.media.intrinsics import Intrinsics, scale_to
from lynx.modalities.depth import draw_depth, gray, normals, turbo, turbo_table

CLIP = (200, 4000)
CAMERA = Intrinsics(60.0, 55.0, 31.5, 23.5)
SHAPE = (48, 64)


def row(*depths: int) -> np.ndarray:
    return np.array([depths], dtype=np.uint16)


def decode(colours: np.ndarray) -> np.ndarray:
    return np.asarray(colours / 255.0 * 2 - 1)


def plane(normal: np.ndarray, distance: float) -> np.ndarray:
    """Depth (H, W) in mm of the plane {p : normal . p = distance} seen by CAMERA, rounded."""
    v, u = np.indices(SHAPE)
    rays = np.stack(
        [(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(SHAPE)], axis=-1
    )
    return np.asarray(np.round(distance / (rays @ normal)), dtype=np.uint16)


def rotation(seed: int) -> np.ndarray:
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return np.asarray(matrix * np.sign(np.linalg.det(matrix)))


def pose(turn: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = 1.0, -2.0, 3.0
    return matrix


def test_21_turbo_table() -> None:
    table = turbo_table()
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    assert table[[0, 127, 128, 255]].tolist() == [
        [35, 23, 27], [149, 251, 81], [152, 250, 79], [144, 13, 0],
    ]  # fmt: skip


def test_22_turbo_colours_to_four_metres() -> None:
    drawn = turbo(row(0, 200, 500, 1000, 2000, 4000, 4001, 65535), (200, 4000))
    assert drawn.tolist()[0] == [
        [35, 23, 27], [144, 13, 0], [61, 241, 150], [59, 128, 248], [71, 55, 155],
        [35, 23, 27], [35, 23, 27], [35, 23, 27],
    ]  # fmt: skip
    assert turbo(row(1, 199), (200, 4000)).tolist()[0] == [[144, 13, 0]] * 2


def test_22_turbo_colours_to_ten_metres() -> None:
    drawn = turbo(row(500, 1000, 2000, 4000, 8000, 10000), (200, 10000))
    assert drawn.tolist()[0] == [
        [71, 246, 138], [51, 147, 248], [75, 76, 203], [62, 42, 114], [39, 26, 40], [35, 23, 27],
    ]  # fmt: skip


def test_23_gray_levels() -> None:
    drawn = gray(row(0, 200, 500, 1000, 2000, 4000, 9000, 3), CLIP)
    assert drawn.dtype == np.uint8
    assert drawn[0, :, 0].tolist() == [255, 0, 20, 54, 121, 255, 255, 0]
    assert (drawn == drawn[..., :1]).all()


@pytest.mark.parametrize("distance", [200, 777, 4000, 9000])
def test_24_fronto_parallel_plane(distance: int) -> None:
    drawn = normals(np.full(SHAPE, distance, np.uint16), CAMERA, CLIP)
    assert (drawn == (128, 128, 255)).all()


def test_24_zero_depth() -> None:
    depth = np.full(SHAPE, 1000, np.uint16)
    depth[10, 20] = 0
    depth[-1, -1] = 0
    drawn = normals(depth, CAMERA, CLIP)
    for at in ((10, 20), (9, 20), (10, 19), (47, 63)):
        assert drawn[at].tolist() == [128, 128, 128]
    assert drawn[11, 20].tolist() == drawn[10, 21].tolist() == [128, 128, 255]
    assert (normals(np.zeros(SHAPE, np.uint16), CAMERA, CLIP) == 128).all()
    world = normals(depth, CAMERA, CLIP, "world", pose(rotation(1)))
    assert world[10, 20].tolist() == [128, 128, 128]


def test_24_slanted_plane_shows_its_normal() -> None:
    """Depth in whole millimetres: at 20 m over 60 pixels' focal length the slope is resolved."""
    normal = np.array([0.3, -0.2, 0.0])
    normal[2] = np.sqrt(1 - normal @ normal)
    drawn = decode(normals(plane(normal, 20000.0), CAMERA, (200, 60000)))
    np.testing.assert_allclose(drawn[:-1, :-1], np.broadcast_to(normal, (47, 63, 3)), atol=0.02)
    np.testing.assert_array_equal(drawn[-1], drawn[-2])
    np.testing.assert_array_equal(drawn[:, -1], drawn[:, -2])


def test_24_depth_beyond_the_clip_range_is_flat() -> None:
    depth = plane(np.array([0.6, 0.0, 0.8]), 3000.0)
    clipped = np.clip(depth, *CLIP)
    assert depth.min() < CLIP[1] < depth.max()
    np.testing.assert_array_equal(
        normals(depth, CAMERA, CLIP), normals(clipped, CAMERA, (1, 60000))
    )
    assert normals(depth, CAMERA, CLIP)[0, 0].tolist() == [128, 128, 255]
    assert normals(depth, CAMERA, (200, 60000))[0, 0].tolist() != [128, 128, 255]


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_24_rotating_the_camera_rotates_the_normals(seed: int) -> None:
    rng = np.random.default_rng(seed)
    depth = rng.integers(300, 3900, SHAPE).astype(np.uint16)
    first, turn = rotation(seed), rotation(seed + 1)
    before = decode(normals(depth, CAMERA, CLIP, "world", pose(first)))
    after = decode(normals(depth, CAMERA, CLIP, "world", pose(turn @ first)))
    np.testing.assert_allclose(after, before @ turn.T, atol=4 / 255)
    own = normals(depth, CAMERA, CLIP, "camera")
    np.testing.assert_array_equal(normals(depth, CAMERA, CLIP, "world", pose(np.eye(3))), own)
    assert (own[..., 2] >= 127).all()


def test_world_normals_need_a_pose() -> None:
    with pytest.raises(InputError) as caught:
        normals(np.full(SHAPE, 1000, np.uint16), CAMERA, CLIP, "world")
    assert str(caught.value) == (
        "normals_frame: found a depth frame without a pose, expected a camera-to-world matrix for "
        "normals in the world frame; drop that frame or set normals_frame to camera"
    )


def test_encodings_alternate_per_map_and_scale_the_camera() -> None:
    rng = np.random.default_rng(0)
    depths = rng.integers(0, 5000, (3, *SHAPE)).astype(np.uint16)
    poses = [pose(rotation(seed)) for seed in range(3)]
    stored = Intrinsics(577.87, 577.87, 319.5, 239.5)
    drawn = draw_depth(depths, stored, poses, "turbo+normals", CLIP, "world")
    assert drawn.shape == (6, *SHAPE, 3)
    assert drawn.dtype == np.uint8
    camera = scale_to(stored, 64, 48)
    for index in range(3):
        np.testing.assert_array_equal(drawn[2 * index], turbo(depths[index], CLIP))
        expected = normals(depths[index], camera, CLIP, "world", poses[index])
        np.testing.assert_array_equal(drawn[2 * index + 1], expected)
    nowhere = [None] * 3
    for encoding, draw in (("gray", gray), ("turbo", turbo)):
        single = draw_depth(depths, stored, nowhere, encoding, CLIP, "camera")  # type: ignore[arg-type]
        np.testing.assert_array_equal(single, np.stack([draw(depth, CLIP) for depth in depths]))
    only = draw_depth(depths, stored, nowhere, "normals", CLIP, "camera")
    np.testing.assert_array_equal(only[2], normals(depths[2], camera, CLIP))


def test_25_intrinsics_scale_per_axis() -> None:
    scannet = Intrinsics(577.87, 577.87, 319.5, 239.5)
    assert astuple(scale_to(scannet, 640, 480))[:4] == (577.87, 577.87, 319.5, 239.5)
    assert astuple(scale_to(scannet, 384, 384))[:4] == pytest.approx(
        (346.722, 462.296, 191.7, 191.6), abs=1e-9
    )
    assert astuple(scale_to(Intrinsics(1, 1, 0, 0), 640, 480))[:4] == (640, 480, 0, 0)


def test_26_uniform_twenty_of_thirty_two() -> None:
    assert uniform_indices(32, 20) == [
        0, 1, 3, 4, 6, 8, 9, 11, 13, 14, 16, 17, 19, 21, 22, 24, 26, 27, 29, 31,
    ]  # fmt: skip


def test_27_farthest_points_on_a_line() -> None:
    assert farthest_point_indices(np.array([[0.0], [1.0], [2.0], [10.0]]), 2) == [3, 0]
