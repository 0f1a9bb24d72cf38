from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from lynx.errors import InputError
from lynx.media.image_files import read_color, read_depth, read_pose
from lynx.media.posed_rgbd import list_frames, open_folder
from tests.sens_writer import pinhole

POSE = np.array([[0, -1, 0, 1.5], [1, 0, 0, -2], [0, 0, 1, 0.25], [0, 0, 0, 1.0]])


def write_frame(scene: Path, stem: str, pose: np.ndarray | None = POSE) -> None:
    for name in ("color", "depth", "pose"):
        (scene / name).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 4), (10, 20, 30)).save(scene / "color" / f"{stem}.png")
    Image.fromarray(np.full((4, 6), 1234, np.uint16)).save(scene / "depth" / f"{stem}.png")
    if pose is not None:
        np.savetxt(scene / "pose" / f"{stem}.txt", pose)


def sentence(action: object, *arguments: object) -> str:
    assert callable(action)
    with pytest.raises(InputError) as caught:
        action(*arguments)
    return str(caught.value)


def test_frames_are_paired_by_number_and_sorted_as_numbers(tmp_path: Path) -> None:
    for stem in ("10", "9", "100"):
        write_frame(tmp_path, stem)
    write_frame(tmp_path, "2", pose=None)
    (tmp_path / "pose" / "9.txt").rename(tmp_path / "pose" / "0009.txt")
    (tmp_path / "color" / "notes.md").write_text("not a frame")
    frames = list_frames(tmp_path)
    assert [frame.number for frame in frames] == [2, 9, 10, 100]
    assert [frame.pose is None for frame in frames] == [True, False, False, False]
    assert frames[1].color_file == tmp_path / "color" / "9.png"
    assert frames[1].pose is not None
    np.testing.assert_array_equal(frames[1].pose, POSE)
    assert frames[3].color().shape == (4, 6, 3)
    assert frames[3].color()[0, 0].tolist() == [10, 20, 30]
    assert frames[3].depth().dtype == np.uint16
    assert frames[3].depth()[3, 5] == 1234


def test_scene_has_its_name_and_camera(tmp_path: Path) -> None:
    scene_dir = tmp_path / "scene0000_00"
    write_frame(scene_dir, "0")
    np.savetxt(scene_dir / "intrinsic_depth.txt", pinhole(6, 4, 5.0))
    scene = open_folder(scene_dir)
    assert (scene.name, scene.intrinsics.cx, len(scene.frames)) == ("scene0000_00", 2.5, 1)


def test_colour_without_depth_and_the_reverse(tmp_path: Path) -> None:
    write_frame(tmp_path, "3")
    write_frame(tmp_path, "4")
    (tmp_path / "depth" / "4.png").unlink()
    assert sentence(list_frames, tmp_path) == (
        f"{tmp_path}/color/4.png: found no depth frame 4, expected one in {tmp_path}/depth; export "
        "the scene again or remove this frame"
    )
    write_frame(tmp_path, "4")
    (tmp_path / "color" / "3.png").unlink()
    assert sentence(list_frames, tmp_path) == (
        f"{tmp_path}/depth/3.png: found no color frame 3, expected one in {tmp_path}/color; export "
        "the scene again or remove this frame"
    )


def test_names_that_are_no_frame_numbers(tmp_path: Path) -> None:
    write_frame(tmp_path, "1")
    write_frame(tmp_path, "frame-2")
    assert sentence(list_frames, tmp_path) == (
        f"{tmp_path}/color/frame-2.png: found a name that is no number, expected <frame "
        "number>.png; rename or remove the file"
    )


def test_one_number_twice(tmp_path: Path) -> None:
    write_frame(tmp_path, "1")
    write_frame(tmp_path, "01")
    assert sentence(list_frames, tmp_path) == (
        f"{tmp_path}/color/1.png: found a second file for frame 1 beside 01.png, expected one; "
        "remove one of them"
    )


def test_empty_scene(tmp_path: Path) -> None:
    assert sentence(list_frames, tmp_path) == (
        f"{tmp_path}/color: found no .jpg or .jpeg or .png file, expected one per frame; export "
        "the scene again"
    )


def test_missing_images(tmp_path: Path) -> None:
    path = tmp_path / "7.png"
    assert sentence(read_color, path) == (
        f"{path}: not found, expected a colour image; copy or export the scene again"
    )
    assert sentence(read_depth, path) == (
        f"{path}: not found, expected a depth image; copy or export the scene again"
    )
    assert sentence(read_pose, path) == (
        f"{path}: not found, expected a camera pose; copy or export the scene again"
    )


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("kept", [0.0, 0.05, 0.5, 0.9])
def test_truncated_colour(tmp_path: Path, suffix: str, kept: float) -> None:
    path = tmp_path / f"7.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    data = path.read_bytes()[: int(path.stat().st_size * kept)]
    path.write_bytes(data)
    assert sentence(read_color, path) == (
        f"{path}: found {len(data)} bytes that do not decode, expected a whole colour image; copy "
        "or export it again"
    )


def test_a_truncated_image_is_refused_whatever_pillow_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "7.png"
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(InputError, match="that do not decode, expected a whole colour image"):
        read_color(path)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.9])
def test_truncated_depth(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "7.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 2**16, (40, 60), dtype=np.uint16)).save(
        path
    )
    data = path.read_bytes()[: int(path.stat().st_size * kept)]
    path.write_bytes(data)
    assert sentence(read_depth, path) == (
        f"{path}: found {len(data)} bytes that do not decode, expected a whole depth image; copy "
        "or export it again"
    )


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_depth_of_the_wrong_depth(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "7.png"
    Image.new(mode, (6, 4)).save(path)
    assert sentence(read_depth, path) == (
        f"{path}: found an image of mode {mode}, expected 16-bit grey (I;16) with depth in "
        "millimetres; export the depth again as a 16-bit PNG"
    )


def test_depth_map_in_place_of_colour(tmp_path: Path) -> None:
    path = tmp_path / "7.png"
    Image.fromarray(np.full((4, 6), 1234, np.uint16)).save(path)
    assert sentence(read_color, path) == (
        f"{path}: found an image of mode I;16, expected 8-bit colour (RGB); export the colour "
        "frames again"
    )


@pytest.mark.parametrize("word", ["-inf", "inf", "nan"])
def test_frames_that_were_not_located_have_no_pose(tmp_path: Path, word: str) -> None:
    path = tmp_path / "7.txt"
    path.write_text(f"{word} {word} {word} {word}\n" * 4)
    assert read_pose(path) is None


@pytest.mark.parametrize("text", ["", "1 0 0 0\n" * 3, "1 0 0\n" * 4, "1 0 0 x\n" * 4])
def test_malformed_pose(tmp_path: Path, text: str) -> None:
    path = tmp_path / "7.txt"
    path.write_text(text)
    assert sentence(read_pose, path) == (
        f"{path}: found text that is not a 4x4 matrix of numbers, expected a camera-to-world pose; "
        "export this frame's pose again"
    )


def test_transposed_pose(tmp_path: Path) -> None:
    path = tmp_path / "7.txt"
    np.savetxt(path, POSE.T)
    assert sentence(read_pose, path) == (
        f"{path}: found a pose whose last row is 1.5 -2 0.25 1, expected 0 0 0 1; store it as "
        "camera-to-world, row by row"
    )
