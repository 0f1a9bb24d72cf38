from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lynx.errors import InputError
from lynx.modalities.view import order_views


def view(seed: int, frames: int = 2, height: int = 4, width: int = 6) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (frames, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_views_follow_each_other_unchanged(count: int) -> None:
    views = [view(seed) for seed in range(count)]
    ordered = order_views(views)
    assert ordered.shape == (2 * count, 4, 6, 3)
    assert ordered.dtype == np.uint8
    for index, one in enumerate(views):
        np.testing.assert_array_equal(ordered[2 * index : 2 * index + 2], one)


def test_the_order_is_the_given_one() -> None:
    np.testing.assert_array_equal(order_views([view(1), view(0)])[:2], view(1))


@pytest.mark.parametrize("count", [0, 5])
def test_one_to_four_views(count: int) -> None:
    with pytest.raises(InputError) as caught:
        order_views([view(seed) for seed in range(count)])
    assert str(caught.value) == (
        f"views: found {count}, expected 1 to 4; list fewer cameras or at least one"
    )


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (view(1, frames=3), "3 frames of 6x4 pixels"),
        (view(1, width=8), "2 frames of 8x4 pixels"),
        (view(1, height=6), "2 frames of 6x6 pixels"),
    ],
)
def test_views_agree_in_frames_and_size(other: NDArray[np.uint8], found: str) -> None:
    with pytest.raises(InputError) as caught:
        order_views([view(0), view(2), other])
    assert str(caught.value) == (
        f"views: found {found} in view 3, expected 2 frames of 6x4 pixels as in view 1; read all "
        "views with the same number of frames and the same size"
    )


@pytest.mark.parametrize(
    "wrong", [view(0)[..., :1], view(0)[0], view(0)[:0], view(0).astype(np.float32)]
)
def test_a_view_is_colour_frames(wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"view 1 .*; expected uint8 frames"):
        order_views([wrong])
