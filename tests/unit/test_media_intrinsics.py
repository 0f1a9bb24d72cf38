from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynx.errors import InputError
from lynx.media.intrinsics import (
    Intrinsics,
    calibration_size,
    read_intrinsics,
    resize,
    scale_to,
    write_intrinsics,
)

SIZE = st.integers(8, 2000)


def numbers(intrinsics: Intrinsics) -> tuple[float, ...]:
    return astuple(intrinsics)[:4]


def test_calibration_size_is_inferred_unless_stated() -> None:
    assert calibration_size(Intrinsics(577.87, 577.87, 319.5, 239.5)) == (640.0, 480.0)
    assert calibration_size(Intrinsics(577.87, 577.87, 318.9, 242.7, (640, 480))) == (640.0, 480.0)


@given(width=SIZE, height=SIZE, new_width=SIZE, new_height=SIZE, focal=st.floats(50, 2000))
def test_released_inference_is_exact_on_a_resized_centred_camera(
    width: int, height: int, new_width: int, new_height: int, focal: float
) -> None:
    camera = Intrinsics(focal, focal, (width - 1) / 2, (height - 1) / 2)
    stored = resize(camera, (width, height), (new_width, new_height))
    unstated = replace(stored, size=None)  # what a reader that skips the comment sees
    assert numbers(scale_to(unstated, new_width, new_height)) == pytest.approx(
        numbers(stored), rel=1e-9, abs=1e-9
    )


@given(cx=st.floats(0, 639), cy=st.floats(0, 479), new_width=SIZE, new_height=SIZE, width=SIZE)
def test_stated_size_makes_scaling_exact_for_any_principal_point(
    tmp_path_factory: pytest.TempPathFactory,
    cx: float,
    cy: float,
    new_width: int,
    new_height: int,
    width: int,
) -> None:
    scene = tmp_path_factory.mktemp("scene")
    camera = Intrinsics(577.6, 578.7, cx, cy)
    true = resize(camera, (640, 480), (new_width, new_height))
    if min(true.cx, true.cy) < 0:
        return  # the corner pixel's centre leaves the image on shrinking; no such file is written
    write_intrinsics(scene / "intrinsic_depth.txt", true)
    stored = read_intrinsics(scene)
    assert stored == true
    assert scale_to(stored, new_width, new_height) == true
    assert numbers(scale_to(stored, width, width)) == pytest.approx(
        numbers(resize(camera, (640, 480), (width, width))), rel=1e-9, abs=1e-9
    )


def test_resize_keeps_the_ray_of_a_pixel_block() -> None:
    """Halving: the new pixel 10 covers the old ones 20 and 21, whose middle is 20.5."""
    camera = Intrinsics(500.0, 400.0, 33.0, 21.0)
    half = resize(camera, (64, 48), (32, 24))
    assert (10 - half.cx) / half.fx == pytest.approx((20.5 - camera.cx) / camera.fx, abs=1e-12)
    assert (7 - half.cy) / half.fy == pytest.approx((14.5 - camera.cy) / camera.fy, abs=1e-12)


def test_stored_file_opens_with_numpy(tmp_path: Path) -> None:
    path = tmp_path / "intrinsic_depth.txt"
    write_intrinsics(path, Intrinsics(346.722, 462.296, 191.5, 191.5, (384, 384)))
    assert path.read_text().splitlines()[0] == "# image size 384 384"
    expected = [[346.722, 0, 191.5, 0], [0, 462.296, 191.5, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert np.loadtxt(path).tolist() == expected


@pytest.mark.parametrize("folder", [".", "intrinsic"])
@pytest.mark.parametrize("side", [3, 4])
def test_reads_both_layouts_and_both_shapes(tmp_path: Path, folder: str, side: int) -> None:
    matrix = np.eye(4)
    matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2] = 577.5, 578.5, 318.9, 242.7
    (tmp_path / folder).mkdir(exist_ok=True)
    np.savetxt(tmp_path / folder / "intrinsic_depth.txt", matrix[:side, :side])
    assert read_intrinsics(tmp_path) == Intrinsics(577.5, 578.5, 318.9, 242.7)


def test_missing_file_is_never_guessed(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_intrinsics(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/intrinsic_depth.txt: not found, expected the depth camera's 4x4 matrix in "
        "text; export the scene again with its intrinsics"
    )


@pytest.mark.parametrize("text", ["", "1 0 0\n0 1 0\n", "577.87 577.87 319.5 239.5\n", "1 0\n0 x"])
def test_malformed_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "intrinsic_depth.txt"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_intrinsics(tmp_path)
    assert str(caught.value) == (
        f"{path}: found text that is not a 4x4 or 3x3 matrix of numbers, expected the depth "
        "camera's intrinsics; export the scene's intrinsics again"
    )


def test_matrix_that_is_no_camera(tmp_path: Path) -> None:
    path = tmp_path / "intrinsic_depth.txt"
    path.write_text("0 0 9.5\n0 nan 9.5\n0 0 1\n")
    with pytest.raises(InputError) as caught:
        read_intrinsics(tmp_path)
    assert str(caught.value) == (
        f"{path}: found fx 0, fy nan, cx 9.5, cy 9.5, expected positive focal lengths and a "
        "principal point in the image; export the scene's intrinsics again"
    )
