from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from lynx.errors import InputError
from lynx.media.video import Reader, probe_video, read_video_frames
from tests.media_writer import TICKS, number_of, packets, spoil, write_film, write_video

READERS: tuple[Reader, ...] = ("decord", "pyav")


def sentence(path: Path, indices: list[int], reader: Reader) -> str:
    with pytest.raises(InputError) as caught:
        read_video_frames(path, indices, reader)
    return str(caught.value)


@pytest.mark.parametrize("reader", READERS)
def test_files_that_are_no_video(tmp_path: Path, reader: Reader) -> None:
    path = tmp_path / "a.mp4"
    assert sentence(path, [0], reader) == (
        f"{path}: not found, expected a video file; copy it there or correct the path"
    )
    path.write_bytes(b"")
    assert sentence(path, [0], reader) == (
        f"{path}: found 0 bytes, expected a video file; copy or download it again"
    )
    write_video(path)
    size = packets(path)[-1][0]  # the header stands at the end
    path.write_bytes(path.read_bytes()[:size])
    assert sentence(path, [0], reader) == (
        f"{path}: found {size} bytes that do not open as media, expected a video file; copy or "
        "download it again"
    )
    write_film(path, np.zeros((1, 4000), np.float32), 8000, video_at=None)
    assert sentence(path, [0], reader) == (
        f"{path}: found no video stream, expected a video file; correct the path or get the video"
    )


@pytest.mark.parametrize("reader", READERS)
def test_a_playlist_reaches_no_other_place(tmp_path: Path, reader: Reader) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n")
    assert "that do not open as media" in sentence(path, [0], reader)


@pytest.mark.parametrize("reader", READERS)
def test_every_packet_is_noise(tmp_path: Path, reader: Reader) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 10)
    stored = packets(path)
    spoil(path, stored[0][0], stored[-1][0] + stored[-1][1])
    assert sentence(path, [0], reader) == (
        f"{path}: found {path.stat().st_size} bytes of which no video frame decodes, expected a "
        "video file; copy or download it again"
    )


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("index", [-1, 40])
def test_index_out_of_range(tmp_path: Path, reader: Reader, index: int) -> None:
    path = tmp_path / "a.mp4"
    write_video(path)
    assert sentence(path, [3, index], reader) == (
        f"{path}: found frame index {index}, expected 0 to 39 of its 40 frames; ask for frames "
        "that the file has"
    )


@pytest.mark.parametrize("reader", READERS)
def test_noise_in_the_middle_fails_the_frames_that_need_it(
    tmp_path: Path, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.mp4"
    write_video(path)
    place, (start, size, number) = next(
        (place, packet) for place, packet in enumerate(packets(path)) if packet[2] == 20
    )
    assert place == 20
    spoil(path, start, start + size)
    assert probe_video(path).frames == 40
    for indices in ([0, 19], [30, 39]):
        frames = read_video_frames(path, indices, reader)
        assert [number_of(frame) for frame in frames] == indices
    with caplog.at_level(logging.INFO):
        for index in (number, 25, 29):
            assert sentence(path, [5, index, 35], reader) == (
                f"{path}: found damage at frame {index} of 40, expected frames that decode whole; "
                "copy or download it again"
            )
    failed = [message for message in caplog.messages if "so PyAV reads it" in message]
    assert len(failed) == (3 if reader == "decord" else 0)


def test_pyav_reports_a_picture_that_the_decoder_mends(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path)
    start, size, number = packets(path)[20]
    spoil(path, start + size // 2, start + size)
    assert sentence(path, [number], "pyav") == (
        f"{path}: found damage at frame 20 of 40, expected frames that decode whole; copy or "
        "download it again"
    )
    assert sentence(path, [24], "pyav").startswith(f"{path}: found damage at frame 24 of 40")
    assert [number_of(f) for f in read_video_frames(path, [19, 30], "pyav")] == [19, 30]


def join_streams(folder: Path, start: int) -> Path:
    """Two MPEG-TS files in one: 10 frames of 64x48, then 10 of 96x64 from frame `start` on."""
    small, large, path = (folder / name for name in ("small.ts", "large.ts", "a.ts"))
    write_video(small, 10)
    write_video(large, 10, size=(96, 64), times=[TICKS * (start + i) for i in range(10)])
    path.write_bytes(small.read_bytes() + large.read_bytes())
    return path


@pytest.mark.parametrize("reader", READERS)
def test_a_picture_of_another_size(tmp_path: Path, reader: Reader) -> None:
    path = join_streams(tmp_path, start=60)
    assert probe_video(path).frames == 20
    assert number_of(read_video_frames(path, [5], reader)[0]) == 5
    assert sentence(path, [7], reader) == (  # where the files meet FFmpeg misses a piece of it
        f"{path}: found damage at frame 7 of 20, expected frames that decode whole; copy or "
        "download it again"
    )
    assert sentence(path, [5, 19], reader) == (
        f"{path}: found 96x64 pixels at frame 19, expected 64x48 as in the first frame; convert "
        "the file to one size"
    )


@pytest.mark.parametrize("reader", READERS)
def test_two_frames_of_one_time(tmp_path: Path, reader: Reader) -> None:
    path = join_streams(tmp_path, start=8)
    assert sentence(path, [0], reader) == (
        f"{path}: found frames without times of their own, expected a time stamp on each; convert "
        "the file to MP4"
    )


@pytest.mark.parametrize("reader", READERS)
def test_a_codec_that_nobody_knows(tmp_path: Path, reader: Reader) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 5)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    assert sentence(path, [0], reader) == (
        f"{path}: found video in a codec that FFmpeg cannot decode, expected one like H.264; "
        "convert the file to H.264"
    )
