from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from lynx.errors import InputError
from lynx.media.intrinsics import Intrinsics
from lynx.modalities import get_modality, modality_names, register
from lynx.modalities.depth import DepthClip, Encoding, NormalsFrame, draw_depth


@dataclass(frozen=True)
class Settings:
    encoding: Encoding = "turbo+normals"
    clip_mm: tuple[int, int] = (200, 4000)
    normals_frame: NormalsFrame = "world"


def test_depth_is_registered_and_draws_what_it_says() -> None:
    depth = get_modality("depth")
    depths = np.random.default_rng(0).integers(0, 5000, (3, 8, 10), dtype=np.uint16)
    camera = Intrinsics(9.0, 9.0, 4.5, 3.5)
    drawn = depth.draw(DepthClip(depths, camera, [np.eye(4)] * 3), Settings())
    expected = draw_depth(depths, camera, [np.eye(4)] * 3, "turbo+normals", (200, 4000), "world")
    np.testing.assert_array_equal(drawn, expected)
    assert drawn.shape == (3 * depth.frames_per_step(Settings()), 8, 10, 3)
    assert depth.frames_per_step(Settings(encoding="gray")) == 1


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="modality 'depth' is already registered; names are uniq"):
        register(replace(get_modality("depth"), frames_per_step=lambda settings: 7))
    assert get_modality("depth").frames_per_step(Settings()) == 2


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        get_modality("Depth")
    assert str(caught.value) == (
        f"modality: found 'Depth', expected one of {', '.join(modality_names())}; correct the "
        "benchmark's configuration"
    )
