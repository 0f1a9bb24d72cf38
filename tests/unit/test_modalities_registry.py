from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from lynx.config.drawing import drawing_models
from lynx.errors import InputError
from lynx.media.clip import RgbdClip
from lynx.media.intrinsics import Intrinsics
from lynx.media.posed_rgbd import FolderFrame, FolderScene
from lynx.modalities import get_modality, modality_names, register
from lynx.modalities.depth import DepthDrawing, draw_depth
from tests.png_writer import write_depth

DRAWING = DepthDrawing(
    modality="depth", encoding="turbo+normals", clip_mm=(200, 4000), normals_frame="world"
)


def test_depth_draws_the_maps_at_the_places(tmp_path: Path) -> None:
    depths = np.random.default_rng(0).integers(0, 5000, (3, 8, 10), dtype=np.uint16)
    camera = Intrinsics(9.0, 9.0, 4.5, 3.5)
    frames = tuple(
        FolderFrame(number, np.eye(4), tmp_path / "none.jpg", write_depth(tmp_path, number, depth))
        for number, depth in enumerate(depths)
    )
    clip = RgbdClip(FolderScene("scene", camera, frames))
    drawn = get_modality("depth").draw(clip, (2, 0), DRAWING)
    expected = draw_depth(
        depths[[2, 0]], camera, [np.eye(4)] * 2, "turbo+normals", (200, 4000), "world"
    )
    np.testing.assert_array_equal(drawn, expected)
    assert drawn.shape == (DRAWING.pseudo_frames(2), 8, 10, 3) == (4, 8, 10, 3)
    assert DRAWING.model_copy(update={"encoding": "gray"}).pseudo_frames(2) == 2


def test_every_modality_has_settings_of_its_own_name() -> None:
    assert {"audio", "depth", "fast", "view"} <= set(modality_names())
    assert {name: get_modality(name).settings for name in modality_names()} == drawing_models()
    for name in modality_names():
        assert get_args(get_modality(name).settings.model_fields["modality"].annotation) == (name,)


def test_a_name_is_taken_once() -> None:
    depth = get_modality("depth")
    with pytest.raises(ValueError, match="modality 'depth' is already registered; names are uniq"):
        register(replace(depth, draw=lambda clip, places, settings: np.zeros(0, np.uint8)))
    assert get_modality("depth") is depth


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        get_modality("Depth")
    assert str(caught.value) == (
        f"modality: found 'Depth', expected one of {', '.join(modality_names())}; correct the "
        "benchmark's configuration"
    )
