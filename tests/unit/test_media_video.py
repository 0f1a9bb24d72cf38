from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import decord
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynx.media import video_pyav
from lynx.media.video import (
    Reader,
    VideoInfo,
    clip_indices,
    probe_video,
    read_video_frames,
)
from lynx.media.video_decord import read_with_decord
from lynx.media.video_index import index_video
from tests.media_writer import (
    CLOSED,
    OPEN,
    TICKS,
    number_of,
    packets,
    picture,
    remux,
    write_video,
)

READERS: tuple[Reader, ...] = ("decord", "pyav")
RATES = np.cumsum(np.random.default_rng(0).integers(100, 3000, 40)).tolist()
LATE = [9000 + TICKS * number for number in range(40)]
HIDE = {"avoid_negative_ts": "disabled"}


def hide_frames(path: Path, **options: object) -> None:
    """Thirteen frames are decoded and not shown, three of them after the key frame before."""
    whole = path.with_name("whole.mp4")
    write_video(whole, **options)  # type: ignore[arg-type]
    remux(whole, path, shift=-13 * TICKS, options=HIDE)


def start_amid_a_group(path: Path) -> None:
    whole = path.with_name("whole.ts")
    write_video(whole)
    remux(whole, path, skip=5, options=None)


def cut_off(path: Path, more: int = 8) -> None:
    """The header says 40 frames, the file ends inside the thirty-first packet."""
    whole = path.with_name("whole.mp4")
    write_video(whole)
    remux(whole, path, options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: packets(path)[30][0] + more])


def fragmented(path: Path) -> None:
    whole = path.with_name("whole.mp4")
    write_video(whole)
    remux(whole, path, options={"movflags": "frag_keyframe+empty_moov"})


WEBM = {"g": "10", "deadline": "realtime", "cpu-used": "8"}
ALT = {"g": "10", "deadline": "good", "cpu-used": "8", "auto-alt-ref": "1", "lag-in-frames": "16"}

# name, writer, frames shown, their numbers, whether decord itself may read it
CASES: list[tuple[str, Callable[[Path], None], range, int | None, bool]] = [
    ("b-frames.mp4", write_video, range(40), 40, True),
    ("variable.mp4", lambda p: write_video(p, times=RATES), range(40), 40, True),
    ("one-key.mp4", lambda p: write_video(p, options={}), range(40), 40, True),
    ("open.mp4", lambda p: write_video(p, options=OPEN), range(40), 40, False),
    ("odd.mp4", lambda p: write_video(p, size=(65, 49), pixels="yuv444p"), range(40), 40, True),
    (
        "odd.webm",
        lambda p: write_video(p, size=(65, 49), codec="libvpx-vp9", options=WEBM),
        range(40),
        None,
        True,
    ),
    (
        "hidden-references.webm",
        lambda p: write_video(p, codec="libvpx", options=ALT),
        range(40),
        None,
        False,
    ),
    ("narrow.mp4", lambda p: write_video(p, size=(48, 64)), range(40), 40, False),
    ("ten-bit.mp4", lambda p: write_video(p, pixels="yuv420p10le"), range(40), 40, False),
    ("full-range.mp4", lambda p: write_video(p, pixels="yuvj420p"), range(40), 40, True),
    ("matroska.mkv", write_video, range(40), None, True),
    ("mpeg-4.avi", lambda p: write_video(p, codec="mpeg4", options={}), range(40), 40, False),
    ("stream.ts", write_video, range(40), None, False),
    ("amid.ts", start_amid_a_group, range(10, 40), None, False),
    ("late.mp4", lambda p: write_video(p, times=LATE), range(40), 40, True),
    ("fragments.mp4", fragmented, range(40), None, True),
    ("edit-list.mp4", hide_frames, range(13, 40), 40, False),
    ("edit-one-key.mp4", lambda p: hide_frames(p, options={}), range(13, 40), 40, False),
    ("edit-open.mp4", lambda p: hide_frames(p, options=OPEN), range(13, 40), 40, False),
    ("cut.mp4", cut_off, range(30), 40, False),
    ("cut-between.mp4", lambda p: cut_off(p, 0), range(30), 40, True),
    ("short.mp4", lambda p: write_video(p, 3), range(3), 3, True),
    ("one.mp4", lambda p: write_video(p, 1), range(1), 1, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "write", "shown", "declared", "by_decord"), CASES, ids=[case[0] for case in CASES]
)
def test_both_readers_give_the_frames_that_are_shown(
    tmp_path: Path,
    name: str,
    write: Callable[[Path], None],
    shown: range,
    declared: int | None,
    by_decord: bool,
) -> None:
    path = tmp_path / name
    write(path)
    info = probe_video(path)
    assert (info.frames, info.declared) == (len(shown), declared)
    count = len(shown)
    random = np.random.default_rng(1).integers(0, count, 12).tolist()
    every = list(range(count))
    for indices in (every, every[::-1], random, [count - 1], [0, count - 1, 0]):
        frames = {reader: read_video_frames(path, indices, reader) for reader in READERS}
        assert [number_of(f) for f in frames["pyav"]] == [shown[i] for i in indices]
        gap = np.abs(frames["decord"].astype(int) - frames["pyav"]).max()
        assert gap <= (1 if name == "odd.webm" else 0)  # 4:2:0 of odd sizes is rounded otherwise
        assert frames["pyav"].shape == (len(indices), info.height, info.width, 3)
    assert (read_with_decord(index_video(path), [0]) is not None) == by_decord


def test_what_decord_alone_would_show_of_an_edit_list(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    hide_frames(path)
    alone = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
    assert len(alone) != probe_video(path).frames
    assert number_of(read_video_frames(path, [12], "decord")[0]) == 25
    assert number_of(alone[12].asnumpy()) != 25


def test_random_access_decodes_one_group_of_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 200)
    index = index_video(path)
    steps = 0
    original = video_pyav.decode

    def counting(*arguments: object) -> object:
        nonlocal steps
        for step in original(*arguments):  # type: ignore[arg-type]
            steps += 1
            yield step

    monkeypatch.setattr(video_pyav, "decode", counting)
    assert [number_of(f) for f in video_pyav.read_with_pyav(index, [45, 155])] == [45, 155]
    assert steps <= 2 * (10 + 4)  # the group, and as many packets as pictures are reordered


@pytest.mark.parametrize("size", [(96, 64), (64, 96)])
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_orientation(
    tmp_path: Path, degrees: int, mirrored: bool, reader: Reader, size: tuple[int, int]
) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 12, size=size, rotation=degrees, mirrored=mirrored)
    stored = picture(11, *size)
    shown = np.rot90(stored, degrees // 90)  # the writer's angle is anticlockwise, the mirror last
    shown = shown[:, ::-1] if mirrored else shown
    info = probe_video(path)
    assert (info.height, info.width) == shown.shape[:2]
    frame = read_video_frames(path, [11], reader)[0]
    assert np.abs(frame.astype(int) - shown).mean() < 6
    assert (read_with_decord(index_video(path), [0]) is not None) == (not mirrored)


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p", "yuvj420p"])
@pytest.mark.parametrize("matrix", ["undef", "bt709", "smpte170m"])
def test_colours_agree_to_the_byte(tmp_path: Path, pixels: str, matrix: str) -> None:
    rng = np.random.default_rng(2)

    def noise(_: int, width: int, height: int) -> np.ndarray:
        coarse = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
        return np.repeat(np.repeat(coarse, 8, 0), 8, 1)

    path = tmp_path / "a.mp4"
    options = {"x264-params": CLOSED["x264-params"] + f":colormatrix={matrix}"}
    write_video(path, 5, size=(160, 96), pixels=pixels, options=options, draw=noise)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).format.name == pixels
    by_decord = read_with_decord(index_video(path), range(5))
    assert by_decord is not None
    np.testing.assert_array_equal(by_decord, read_video_frames(path, range(5), "pyav"))


def test_information(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path)
    assert probe_video(path) == VideoInfo(40, 40, 25.0, 1.6, 64, 48)
    times = [0, 1280, 1920, 6400]  # the last lasts as long as the muxer says, so take what it shows
    write_video(path, 4, times=times, options={"bf": "0"})
    info = probe_video(path)
    assert info.seconds >= 0.5
    assert info.rate == pytest.approx(4 / info.seconds)


@given(frames=st.integers(1, 100), n=st.integers(1, 100))
def test_clip_indices_rise_and_repeat_only_the_last(frames: int, n: int) -> None:
    indices = clip_indices(frames, n)
    distinct = sorted(set(indices))
    assert len(indices) == n
    assert list(indices) == distinct + [distinct[-1]] * (n - len(distinct))
    if n >= frames > 1:
        assert distinct == list(range(frames))


@pytest.mark.parametrize("reader", READERS)
def test_clip_of_a_long_and_of_a_short_video(tmp_path: Path, reader: Reader) -> None:
    write_video(tmp_path / "long.mp4")
    write_video(tmp_path / "short.mp4", 3)
    for name, count, wanted in (("long", 40, (0, 9, 19, 29, 39)), ("short", 3, (0, 1, 2, 2, 2))):
        assert clip_indices(count, 5) == wanted
        frames = read_video_frames(tmp_path / f"{name}.mp4", wanted, reader)
        assert [number_of(frame) for frame in frames] == list(wanted)


def test_no_frames_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 2)
    assert read_video_frames(path, [], "decord").shape == (0, 48, 64, 3)


def test_reading_needs_no_torch() -> None:
    code = "import sys, lynx.media.video, lynx.media.audio; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
