"""Videos that end too early are missing; those that only seem so, and all others, are kept."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from lynx.media.inventory import InspectedClip, inspect_clip
from lynx.media.video import probe_video
from tests.media_writer import click, packets, write_film, write_video
from tests.unit.test_media_video import CASES

SOUND = click(1.0, 0.3, 16000, 1)
OPTIONS: dict[str, dict[str, str]] = {
    "faststart.mp4": {"movflags": "faststart"},
    "fragments.mp4": {"movflags": "frag_keyframe+empty_moov"},
    "faststart.mov": {"movflags": "faststart"},
    "film.mkv": {},
    "live.mkv": {"live": "1"},  # its length is written as unknown
    "film.ts": {},
}


def film(path: Path) -> Path:
    """A second of pictures and sound in the container that the name says."""
    whole = path.with_name("whole.mov" if path.suffix == ".mov" else "whole.mp4")
    codec = "pcm_s16le" if path.suffix == ".mov" else "aac"
    write_film(whole, SOUND, 16000, codec=codec)
    with av.open(str(whole)) as old, av.open(str(path), "w", options=OPTIONS[path.name]) as new:
        streams = {each.index: new.add_stream_from_template(each) for each in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return path


def cut(path: Path) -> int:
    """End a file within the sixteenth packet of its video; the bytes that are left."""
    left = packets(path)[15][0] + 3
    path.write_bytes(path.read_bytes()[:left])
    return left


def inspected(path: Path, heard: bool) -> InspectedClip:
    return inspect_clip(path.parent, "clip", [path.name], heard)


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_a_whole_film_is_kept(tmp_path: Path, name: str, heard: bool) -> None:
    clip = inspected(film(tmp_path / name), heard)
    assert clip.missing is None
    assert (clip.files[0].frames, clip.files[0].audio) == (25, "sound" if heard else None)


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("name", ["faststart.mp4", "fragments.mp4", "faststart.mov", "film.mkv"])
def test_half_a_film_is_missing(tmp_path: Path, name: str, heard: bool) -> None:
    path = film(tmp_path / name)
    whole = path.stat().st_size
    half = cut(path)
    frames = probe_video(path).frames
    assert 0 < frames < 25
    reason = inspected(path, heard).missing
    assert reason is not None
    found = f"{path}: found {half} bytes that end after {frames} frames, expected "
    assert reason.startswith(found)
    end, _, rest = reason.removeprefix(found).partition(" ")
    assert half < int(end) <= whole
    assert rest == "bytes because the file lists packets up to there; copy or download it again"


@pytest.mark.parametrize("name", ["live.mkv", "film.ts"])
def test_what_lists_no_packets_may_end_anywhere(tmp_path: Path, name: str) -> None:
    path = film(tmp_path / name)
    cut(path)
    assert inspected(path, heard=False).missing is None


def test_sound_that_is_cut_off_counts_where_it_is_heard(tmp_path: Path) -> None:
    path = film(tmp_path / "faststart.mp4")
    path.write_bytes(path.read_bytes()[:-2])
    assert probe_video(path).frames == 25
    assert inspected(path, heard=False).missing is None
    reason = inspected(path, heard=True).missing
    assert reason is not None
    assert "bytes that end after 25 frames, expected" in reason


@pytest.mark.parametrize(("name", "write"), [case[:2] for case in CASES])
def test_only_the_cut_ones_of_all_containers(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    """Edit lists hide frames that the header counts; nothing of theirs is cut off."""
    path = tmp_path / name
    write(path)
    assert (inspected(path, heard=True).missing is not None) == name.startswith("cut")


def test_an_edit_list_over_a_cut_does_not_hide_it(tmp_path: Path) -> None:
    write = next(case[1] for case in CASES if case[0] == "edit-list.mp4")
    path = tmp_path / "a.mp4"
    write(path)
    with (
        av.open(str(path)) as old,
        av.open(str(tmp_path / "b.mp4"), "w", options={"movflags": "faststart"}) as new,
    ):
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    assert inspected(tmp_path / "b.mp4", heard=False).missing is None
    cut(tmp_path / "b.mp4")
    assert inspected(tmp_path / "b.mp4", heard=False).missing is not None


@pytest.mark.parametrize("told", [1, 39, 41, 400])
def test_a_header_that_lies_about_the_count_is_not_believed(tmp_path: Path, told: int) -> None:
    path = tmp_path / "a.avi"
    write_video(path, codec="mpeg4", options={})
    data = bytearray(path.read_bytes())
    for place in (data.index(b"avih") + 24, data.index(b"strh") + 40):  # of all, of the stream
        assert struct.unpack_from("<I", data, place) == (40,)
        struct.pack_into("<I", data, place, told)
    path.write_bytes(data)
    assert probe_video(path).declared == told
    clip = inspected(path, heard=False)
    assert (clip.missing, clip.files[0].frames) == (None, 40)
    cut(path)
    assert (inspected(path, heard=False).missing is not None) == (told > 15)


def test_a_matroska_file_of_unknown_length_tells_nothing(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv")
    data = bytearray(path.read_bytes())
    at = data.index(b"\x18\x53\x80\x67") + 4
    data[at : at + 8] = b"\x01" + b"\xff" * 7  # unknown
    path.write_bytes(data)
    cut(path)
    assert inspected(path, heard=False).missing is None
