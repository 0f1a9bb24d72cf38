from __future__ import annotations

import logging
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynx.errors import InputError
from lynx.media.frame_sampling import (
    farthest_point_indices,
    pose_features,
    select_frames,
    uniform_indices,
)


@dataclass(frozen=True)
class Frame:
    number: int
    pose: np.ndarray | None = field(compare=False)


def at(x: float, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, 3] = x, y, z
    return pose


def numbers(frames: list[Frame]) -> list[int]:
    return [frame.number for frame in frames]


@given(count=st.integers(1, 500), n=st.integers(2, 100))
def test_uniform_indices_span_the_clip_in_order(count: int, n: int) -> None:
    indices = uniform_indices(count, n)
    assert len(indices) == n
    assert indices[0] == 0
    assert indices[-1] == count - 1
    assert indices == sorted(indices)


def test_uniform_one_is_the_middle_and_too_many_repeat_in_place() -> None:
    assert uniform_indices(9, 1) == [4]
    assert uniform_indices(1, 1) == [0]
    assert uniform_indices(32, 48)[:7] == [0, 0, 1, 1, 2, 3, 3]
    assert uniform_indices(1, 3) == [0, 0, 0]
    with pytest.raises(ValueError, match="cannot pick 3 of 0 items"):
        uniform_indices(0, 3)


@given(st.integers(0, 2**32), st.integers(2, 30), st.integers(1, 30))
def test_farthest_points_follow_the_definition(seed: int, count: int, k: int) -> None:
    points = np.random.default_rng(seed).integers(0, 9, (count, 2)).astype(float)
    picked = farthest_point_indices(points, k)
    assert len(picked) == len(set(picked)) == min(k, count)
    for step in range(1, len(picked)):
        gaps = np.linalg.norm(points[:, None] - points[picked[:step]], axis=-1).min(axis=1)
        rest = [index for index in range(count) if index not in picked[:step]]
        assert gaps[picked[step]] == gaps[rest].max()


def test_pose_features_standardise_places_and_normalise_directions() -> None:
    poses = np.stack([at(0, 5, 1), at(2, 5, 3), at(4, 5, 8)])
    poses[:, :3, 2] = [[0, 0, 2], [3, 0, 4], [0, -1, 0]]
    features = pose_features(poses)
    assert features.shape == (3, 6)
    np.testing.assert_allclose(features[:, 0], [-(1.5**0.5), 0, 1.5**0.5], atol=1e-12)
    np.testing.assert_allclose(features[:, 1], 0, atol=1e-12)  # an axis without spread
    np.testing.assert_allclose(features[:, 2].std(), 1, atol=1e-12)
    looking = np.array([[0, 0, 1], [0.6, 0, 0.8], [0, -1, 0]])
    np.testing.assert_allclose(features[:, 3:], looking, atol=1e-12)


def test_pose_sampling_spreads_and_comes_back_in_time_order() -> None:
    places = {5: 0.0, 10: 0.1, 20: 0.2, 100: 10.0, 7: 5.0}
    frames = [Frame(number, at(x)) for number, x in places.items()]
    assert numbers(select_frames(frames, 3, "pose", "s")) == [5, 7, 100]


def test_pose_sampling_drops_frames_without_a_pose_and_pads_with_the_last() -> None:
    frames = [Frame(3, at(1)), Frame(1, at(0)), Frame(9, None), Frame(2, at(2))]
    assert numbers(select_frames(frames, 5, "pose", "s")) == [1, 2, 3, 3, 3]
    assert numbers(select_frames(frames, 3, "pose", "s")) == [1, 2, 3]
    assert numbers(select_frames(frames, 1, "pose", "s")) == [2]


def test_uniform_sampling_keeps_frames_without_a_pose() -> None:
    frames = [Frame(number, None) for number in (4, 2, 0, 6)]
    assert numbers(select_frames(frames, 2, "uniform", "s")) == [0, 6]
    assert numbers(select_frames(frames, 6, "uniform", "s")) == [0, 0, 2, 2, 4, 6]


def test_too_few_poses_fall_back_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    frames = [Frame(0, at(0)), Frame(1, None), Frame(2, None)]
    with caplog.at_level(logging.WARNING):
        assert numbers(select_frames(frames, 2, "pose", "scene0007_00")) == [0, 2]
    assert caplog.messages == [
        "scene0007_00: 1 of 3 frames have a pose, so 2 frames are chosen evenly instead of by pose"
    ]


def test_no_frames() -> None:
    with pytest.raises(InputError) as caught:
        select_frames([], 2, "pose", "scene0007_00")
    assert str(caught.value) == (
        "scene0007_00: found no frame, expected at least one; export the scene again"
    )
