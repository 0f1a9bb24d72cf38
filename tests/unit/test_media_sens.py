from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynx.errors import InputError
from lynx.media.image_files import decode_color
from lynx.media.intrinsics import Intrinsics
from lynx.media.sens import open_sens
from tests.sens_writer import Recording, jpeg_bytes, pinhole, write_sens

SENSOR_NAME = 15
FIRST_FRAME = 4 + 8 + SENSOR_NAME + 4 * 64 + 8 + 16 + 12


def random_recording(seed: int, frames: int = 3, **fields: object) -> Recording:
    rng = np.random.default_rng(seed)
    color_height, color_width, height, width = rng.integers(2, 40, 4)
    poses = [np.eye(4) for _ in range(frames)]
    for pose in poses:
        pose[:3, 3] = rng.normal(size=3).astype(np.float32)
    return Recording(
        [rng.integers(0, 256, (color_height, color_width, 3), np.uint8) for _ in range(frames)],
        [rng.integers(0, 9000, (height, width), np.uint16) for _ in range(frames)],
        poses,
        pinhole(int(width), int(height), 50.0),
        **fields,  # type: ignore[arg-type]
    )


def sentence(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_sens(path)
    return str(caught.value)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**32),
    frames=st.integers(1, 5),
    color_coding=st.sampled_from([0, 1, 2]),
    depth_coding=st.sampled_from([0, 1]),
)
def test_reads_back_what_was_recorded(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    frames: int,
    color_coding: int,
    depth_coding: int,
) -> None:
    path = tmp_path_factory.mktemp("sens") / "scene0001_02.sens"
    recording = random_recording(seed, frames, color_coding=color_coding, depth_coding=depth_coding)
    write_sens(path, recording)
    scene = open_sens(path)
    height, width = recording.depths[0].shape
    assert scene.name == "scene0001_02"
    assert scene.intrinsics == Intrinsics(
        50.0, 50.0, (width - 1) / 2, (height - 1) / 2, (width, height)
    )
    assert [frame.number for frame in scene.frames] == list(range(frames))
    for frame, color, depth, pose in zip(
        scene.frames, recording.colors, recording.depths, recording.poses, strict=True
    ):
        shown = decode_color("", jpeg_bytes(color)) if color_coding == 2 else color
        np.testing.assert_array_equal(frame.color(), shown)
        np.testing.assert_array_equal(frame.depth(), depth)
        assert frame.depth().dtype == np.uint16
        assert frame.pose is not None
        np.testing.assert_array_equal(frame.pose, pose)


def test_opening_reads_heads_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.sens"
    recording = random_recording(1, 4, color_coding=0, depth_coding=0)
    recording.colors = [np.zeros((200, 300, 3), np.uint8)] * 4
    write_sens(path, recording)
    read = 0
    original = Path.open

    def counting_open(self: Path, *arguments: object, **keywords: object) -> object:
        stream = original(self, *arguments, **keywords)  # type: ignore[call-overload]
        original_read = stream.read

        class Counter:
            def __enter__(self) -> Counter:
                return self

            def __exit__(self, *_: object) -> None:
                stream.close()

            def read(self, size: int) -> bytes:
                nonlocal read
                read += size
                return bytes(original_read(size))

            def __getattr__(self, name: str) -> object:
                return getattr(stream, name)

        return Counter()

    monkeypatch.setattr(Path, "open", counting_open)
    open_sens(path)
    assert read == FIRST_FRAME - SENSOR_NAME + 4 * 96


def test_unlocated_frames_have_no_pose(tmp_path: Path) -> None:
    recording = random_recording(2)
    recording.poses[1][:] = -np.inf
    write_sens(tmp_path / "a.sens", recording)
    scene = open_sens(tmp_path / "a.sens")
    assert [frame.pose is None for frame in scene.frames] == [False, True, False]


def test_depth_comes_in_millimetres_whatever_the_shift(tmp_path: Path) -> None:
    recording = random_recording(3, 1, depth_shift=5000.0)
    recording.depths[0][:] = 5000
    recording.depths[0][0, :2] = 0, 12503
    write_sens(tmp_path / "a.sens", recording)
    depth = open_sens(tmp_path / "a.sens").frames[0].depth()
    assert depth[0, :2].tolist() == [0, 2501]
    assert depth[1, 0] == 1000


def test_depth_beyond_sixteen_bits(tmp_path: Path) -> None:
    recording = random_recording(3, 1, depth_shift=100.0)
    recording.depths[0][:] = 7000
    path = tmp_path / "a.sens"
    write_sens(path, recording)
    with pytest.raises(InputError) as caught:
        open_sens(path).frames[0].depth()
    assert str(caught.value) == (
        f"{path} frame 0: found a depth of 70000 mm at depth shift 100, expected at most 65535 mm; "
        "check the recording"
    )


@pytest.mark.parametrize("where", ["picture", "head", "header"])
def test_truncated(tmp_path: Path, where: str) -> None:
    path = tmp_path / "a.sens"
    ends = write_sens(path, random_recording(4))
    size, what, expected = {
        "picture": (ends[2] - 1, "frame 2 of 3", ends[2]),
        "head": (ends[0] + 50, "frame 1 of 3", ends[0] + 96),
        "header": (FIRST_FRAME - 3, "header", FIRST_FRAME),
    }[where]
    path.write_bytes(path.read_bytes()[:size])
    assert sentence(path) == (
        f"{path}: found the end of the file at byte {size}, expected {what} to reach byte "
        f"{expected}; download the file again"
    )


def test_file_cut_after_it_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.sens"
    ends = write_sens(path, random_recording(4))
    frame = open_sens(path).frames[2]
    path.write_bytes(path.read_bytes()[: ends[2] - 1])
    with pytest.raises(InputError) as caught:
        frame.depth()
    assert str(caught.value) == (
        f"{path}: found the end of the file at byte {ends[2] - 1}, expected frame 2 to reach byte "
        f"{ends[2]}; download the file again"
    )


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "a.sens"
    assert sentence(path) == (
        f"{path}: not found, expected a .sens recording; download it from ScanNet"
    )


def test_other_version(tmp_path: Path) -> None:
    path = tmp_path / "a.sens"
    write_sens(path, random_recording(5, version=3))
    assert sentence(path) == (
        f"{path}: found .sens version 3, expected 4; download the scan of the ScanNet v2 release"
    )


@pytest.mark.parametrize(("coding", "name"), [(2, "occi"), (-1, "unknown"), (7, "unknown")])
def test_depth_coding_that_cannot_be_read(tmp_path: Path, coding: int, name: str) -> None:
    path = tmp_path / "a.sens"
    write_sens(path, random_recording(5, depth_coding=coding))
    assert sentence(path) == (
        f"{path}: found depth compression {coding} ({name}), expected 0 (raw) or 1 (zlib); export "
        "the scene with ScanNet's own tool"
    )


def test_colour_coding_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.sens"
    write_sens(path, random_recording(5))
    data = bytearray(path.read_bytes())
    offset = 4 + 8 + 15 + 256
    data[offset : offset + 4] = struct.pack("<i", 9)
    path.write_bytes(data)
    assert sentence(path) == (
        f"{path}: found colour compression 9, expected 0 (raw), 1 (png) or 2 (jpeg); export the "
        "scene with ScanNet's own tool"
    )


def test_spoilt_depth(tmp_path: Path) -> None:
    path = tmp_path / "a.sens"
    ends = write_sens(path, random_recording(6, 1))
    frame = open_sens(path).frames[0]
    data = bytearray(path.read_bytes())
    data[ends[0] - frame.depth_bytes] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        frame.depth()
    assert str(caught.value) == (
        f"{path} frame 0: found {frame.depth_bytes} bytes of depth that do not decompress, "
        "expected zlib data; download the file again"
    )


def test_picture_of_another_size_than_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.sens"
    recording = random_recording(7, 2)
    height, width = recording.colors[0].shape[:2]
    rows, columns = recording.depths[0].shape
    recording.colors = [recording.colors[0], np.zeros((height + 1, width, 3), np.uint8)]
    recording.depths = [recording.depths[0], np.zeros((rows, columns + 1), np.uint16)]
    write_sens(path, recording)
    frame = open_sens(path).frames[1]
    with pytest.raises(InputError) as caught:
        frame.color()
    assert str(caught.value) == (
        f"{path} frame 1: found a colour image of {width}x{height + 1}, expected {width}x{height} "
        "as in the header; download the file again"
    )
    with pytest.raises(InputError) as caught:
        frame.depth()
    assert str(caught.value) == (
        f"{path} frame 1: found {rows * (columns + 1) * 2} bytes of depth, expected "
        f"{rows * columns * 2} from the size in the header; download the file again"
    )
