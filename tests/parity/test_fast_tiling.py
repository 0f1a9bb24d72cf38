"""Dense frames laid on pictures (parity check 28)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lynx.errors import InputError
from lynx.modalities.fast import tile_frames


def pixels(count: int, height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def bilinear(frame: NDArray[Any], height: int, width: int) -> NDArray[np.float32]:
    """One frame by PyTorch's bilinear interpolation, as the published code shrinks frames."""
    planes = torch.from_numpy(frame.astype(np.float32)).permute(2, 0, 1)[None]
    small = functional.interpolate(
        planes, size=(height, width), mode="bilinear", align_corners=False
    )
    return np.asarray(small[0].permute(1, 2, 0).numpy())


def test_28_ten_frames() -> None:
    frames = pixels(10, 8, 12)
    tiled = tile_frames(frames, per_tile=4)
    assert tiled.shape == (3, 8, 12, 3)
    assert tiled.dtype == np.float32
    for picture in range(3):
        for place in range(4):
            row, column = 4 * (place // 2), 6 * (place % 2)
            quadrant = tiled[picture, row : row + 4, column : column + 6]
            source = frames[min(4 * picture + place, 9)].astype(np.float64)
            mean = source.reshape(4, 2, 6, 2, 3).mean(axis=(1, 3))
            np.testing.assert_array_equal(quadrant, mean)


@pytest.mark.parametrize("size", [56, 384])
def test_28_a_mean_of_two_by_two_is_bilinear(size: int) -> None:
    frames = pixels(4, size, size)
    half = size // 2
    tiled = tile_frames(frames)
    corners = (tiled[0, :half, :half], tiled[0, :half, half:])
    corners += (tiled[0, half:, :half], tiled[0, half:, half:])
    for frame, corner in zip(frames, corners, strict=True):
        np.testing.assert_allclose(corner, bilinear(frame, half, half), atol=1e-4)


def test_normalised_frames_keep_their_scale() -> None:
    """Tiling before or after the processor's normalisation is the same."""
    frames = pixels(6, 8, 8)
    normalised = (frames / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
    np.testing.assert_allclose(
        tile_frames(normalised), (tile_frames(frames) / 255 - 0.5) / 0.5, atol=1e-6
    )


@settings(max_examples=30)
@given(count=st.integers(1, 20), side=st.integers(1, 4), seed=st.integers(0, 99))
def test_every_frame_has_its_place_and_its_mean(count: int, side: int, seed: int) -> None:
    frames = pixels(count, 3 * side, 2 * side, seed)
    tiled = tile_frames(frames, side * side)
    assert len(tiled) == -(-count // (side * side))
    cells = tiled.reshape(-1, side, 3, side, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(-1, 3, 2, 3)
    for index, cell in enumerate(cells):
        source = frames[min(index, count - 1)].reshape(3, side, 2, side, 3)
        np.testing.assert_allclose(cell, source.mean(axis=(1, 3)), rtol=1e-5)


def test_sixteen_to_a_picture_lose_no_pixel() -> None:
    """Bilinear interpolation by 4 would read the middle of each block alone."""
    frame = np.zeros((1, 16, 16, 3), np.uint8)
    frame[0, ::4, ::4] = 160
    assert (bilinear(frame[0], 4, 4) == 0).all()
    assert (tile_frames(frame, 16) == 10).all()


@pytest.mark.parametrize("per_tile", [0, -4, 2, 8])
def test_tiles_are_square(per_tile: int) -> None:
    with pytest.raises(InputError) as caught:
        tile_frames(pixels(4, 8, 8), per_tile)
    assert str(caught.value) == (
        f"drawing.per_step: found {per_tile}, expected the square of a whole number (4, 9, 16); "
        "set it to 4"
    )


@pytest.mark.parametrize(("height", "width"), [(9, 8), (8, 9)])
def test_no_pixel_is_cut_off(height: int, width: int) -> None:
    with pytest.raises(InputError) as caught:
        tile_frames(pixels(4, height, width))
    assert str(caught.value) == (
        f"drawing.per_step: found 4 with frames of {width}x{height} pixels, expected a width and "
        "height that 2 divides; choose another number or frame size"
    )


@pytest.mark.parametrize(
    "frames", [np.zeros((0, 8, 8, 3), np.uint8), np.zeros((4, 8, 8), np.uint8)]
)
def test_frames_are_colour_pictures(frames: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"expected \(N, H, W, 3\) with at least one frame"):
        tile_frames(frames)


def test_frames_are_bytes_or_float32() -> None:
    with pytest.raises(ValueError, match="frames of float64; expected uint8 or float32"):
        tile_frames(np.zeros((4, 8, 8, 3)))  # type: ignore[arg-type]
