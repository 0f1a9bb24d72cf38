from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lynx.errors import InputError
from lynx.media.image_files import read_color, read_depth
from lynx.media.intrinsics import Intrinsics, resize, scale_to
from lynx.media.posed_rgbd import open_folder
from lynx.media.square_frames import (
    PreparedScene,
    open_scene,
    prepare_scene,
    resize_color,
    resize_depth,
)
from tests.sens_writer import Recording, pinhole, write_sens

WIDTH, HEIGHT = 64, 48


def recording(count: int, unlocated: tuple[int, ...] = ()) -> Recording:
    """Depth rises by 100 mm a frame with an edge in the middle; colour is a smooth ramp."""
    ramp = np.linspace(0, 255, 2 * WIDTH).astype(np.uint8)
    color = np.broadcast_to(ramp[None, :, None], (2 * HEIGHT, 2 * WIDTH, 3)).copy()
    depths, poses = [], []
    for index in range(count):
        depth = np.full((HEIGHT, WIDTH), 1000 + 100 * index, np.uint16)
        depth[:, WIDTH // 2 :] += 3000
        depths.append(depth)
        pose = np.eye(4)
        pose[0, 3] = 0.1 * index
        poses.append(np.full((4, 4), -np.inf) if index in unlocated else pose)
    return Recording([color] * count, depths, poses, pinhole(WIDTH, HEIGHT, 57.8))


def export(scene: Path, data: Recording) -> None:
    """ScanNet's own export of a recording."""
    for name in ("color", "depth", "pose", "intrinsic"):
        (scene / name).mkdir(parents=True)
    for number, (color, depth, pose) in enumerate(
        zip(data.colors, data.depths, data.poses, strict=True)
    ):
        Image.fromarray(color).save(scene / "color" / f"{number}.jpg", quality=95)
        Image.fromarray(depth).save(scene / "depth" / f"{number}.png")
        np.savetxt(scene / "pose" / f"{number}.txt", pose.astype(np.float32))
    np.savetxt(scene / "intrinsic" / "intrinsic_depth.txt", data.intrinsic_depth)


def sentence(source: Path, target: Path) -> str:
    with pytest.raises(InputError) as caught:
        prepare_scene(source, target, frames=2, size=16)
    return str(caught.value)


def test_picks_evenly_among_located_frames_and_counts_the_rest(tmp_path: Path) -> None:
    source = tmp_path / "scene0000_00"
    export(source, recording(9, unlocated=(0, 4)))
    prepared = prepare_scene(source, tmp_path / "out", frames=3, size=16)
    assert prepared == PreparedScene("scene0000_00", found=9, kept=3, dropped={"no pose": 2})
    scene = open_folder(tmp_path / "out")
    assert [frame.number for frame in scene.frames] == [1, 5, 8]
    for frame in scene.frames:
        depth = frame.depth()
        near = 1000 + 100 * frame.number
        assert depth.shape == (16, 16)
        assert np.unique(depth).tolist() == [near, near + 3000]  # no invented surface between
        assert frame.color().shape == (16, 16, 3)
        assert frame.pose is not None
        assert frame.pose[0, 3] == np.float32(0.1 * frame.number)


def test_calibration_follows_the_resize(tmp_path: Path) -> None:
    source = tmp_path / "scene0000_00"
    data = recording(2)
    data.intrinsic_depth[0, 2], data.intrinsic_depth[1, 2] = 31.9, 24.4
    export(source, data)
    prepare_scene(source, tmp_path / "out", frames=2, size=16)
    stored = open_folder(tmp_path / "out").intrinsics
    given = Intrinsics(57.8, 57.8, 31.9, 24.4)
    assert stored == resize(given, (WIDTH, HEIGHT), (16, 16))
    assert scale_to(stored, 16, 16) == stored


def test_recording_and_export_give_the_same_frames(tmp_path: Path) -> None:
    data = recording(6, unlocated=(2,))
    data.intrinsic_depth = data.intrinsic_depth.astype(np.float32)  # as a .sens file stores it
    export(tmp_path / "export", data)
    (tmp_path / "scan").mkdir()
    write_sens(tmp_path / "scan" / "scene0000_00.sens", data)
    one = prepare_scene(tmp_path / "export", tmp_path / "a", frames=4, size=16)
    two = prepare_scene(tmp_path / "scan", tmp_path / "b", frames=4, size=16)
    assert (one.found, one.kept, one.dropped) == (two.found, two.kept, two.dropped)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 13
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_large_colour_is_jpeg_and_small_is_png(tmp_path: Path) -> None:
    write_sens(tmp_path / "a.sens", recording(1))
    prepare_scene(tmp_path / "a.sens", tmp_path / "large", size=128)
    prepare_scene(tmp_path / "a.sens", tmp_path / "small", size=127)
    large = read_color(tmp_path / "large" / "color" / "0.jpg")
    small = read_color(tmp_path / "small" / "color" / "0.png")
    assert (large.shape, small.shape) == ((128, 128, 3), (127, 127, 3))
    ramp = np.linspace(0, 255, 128)
    assert np.abs(large[64, :, 1].astype(float) - ramp).max() < 4
    assert read_depth(tmp_path / "large" / "depth" / "0.png").shape == (128, 128)


def test_colour_is_resized_bicubic() -> None:
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 200
    expected = Image.fromarray(stripes).resize((5, 5), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(resize_color(stripes, 5), np.asarray(expected))
    assert len(np.unique(resize_color(stripes, 4))) > 2  # neighbours are mixed, none is dropped


def test_nearest_depth_takes_the_pixel_under_each_new_centre() -> None:
    depth = np.arange(6 * 4, dtype=np.uint16).reshape(4, 6)
    assert resize_depth(depth, 2).tolist() == [[7, 10], [19, 22]]
    assert resize_depth(depth[:3, :3], 3).tolist() == depth[:3, :3].tolist()


def test_no_located_frame(tmp_path: Path) -> None:
    write_sens(tmp_path / "a.sens", recording(2, unlocated=(0, 1)))
    assert sentence(tmp_path / "a.sens", tmp_path / "out") == (
        f"{tmp_path}/a.sens: found 2 frames and none with a pose, expected at least one; leave the "
        "scene out or export its poses"
    )
    assert not (tmp_path / "out").exists()


def test_target_with_old_frames(tmp_path: Path) -> None:
    write_sens(tmp_path / "a.sens", recording(2))
    prepare_scene(tmp_path / "a.sens", tmp_path / "out", size=16)
    assert sentence(tmp_path / "a.sens", tmp_path / "out") == (
        f"{tmp_path}/out: found a folder that is not empty, expected none or an empty one; remove "
        "it so that old and new frames cannot mix"
    )


def test_calibration_of_another_image(tmp_path: Path) -> None:
    data = recording(2)
    data.intrinsic_depth = pinhole(640, 480, 577.87)
    export(tmp_path / "scene", data)
    assert sentence(tmp_path / "scene", tmp_path / "out") == (
        f"{tmp_path}/scene: found intrinsic_depth.txt for an image of about 640x480 pixels, "
        "expected 64x48 as the depth frames; export the scene again with its own intrinsics"
    )


def test_depth_frames_of_two_sizes(tmp_path: Path) -> None:
    data = recording(2)
    export(tmp_path / "scene", data)
    Image.fromarray(data.depths[1][:24]).save(tmp_path / "scene" / "depth" / "1.png")
    assert sentence(tmp_path / "scene", tmp_path / "out") == (
        f"{tmp_path}/scene: found depth frame 1 of 64x24 after frames of 64x48, expected one size "
        "per scene; export the scene again"
    )


@pytest.mark.parametrize("recordings", [0, 2])
def test_folder_that_is_no_scene(tmp_path: Path, recordings: int) -> None:
    for index in range(recordings):
        write_sens(tmp_path / f"{index}.sens", recording(1))
    with pytest.raises(InputError) as caught:
        open_scene(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: found {recordings} .sens files and no color/ folder, expected one recording "
        "or an exported scene; point the data path at ScanNet's scans"
    )
