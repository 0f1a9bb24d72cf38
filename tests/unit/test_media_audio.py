from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynx.errors import InputError
from lynx.media.audio import AudioTrack, read_audio
from tests.media_writer import click, spoil, write_film, write_video, write_wav


def clicked_at(track: AudioTrack, rate: int = 16000) -> float:
    return float(np.abs(track.samples).argmax()) / rate


@pytest.mark.parametrize(
    ("name", "rate", "channels", "codec"),
    [
        ("a.mp4", 44100, 2, "aac"),
        ("a.mp4", 48000, 1, "aac"),
        ("a.mp4", 16000, 1, "aac"),
        ("a.mkv", 44100, 2, "aac"),
        ("a.ts", 44100, 2, "aac"),
        ("a.mkv", 22050, 2, "pcm_s16le"),
        ("a.mkv", 48000, 2, "flac"),
    ],
)
def test_a_click_is_heard_when_it_is_seen(
    tmp_path: Path, name: str, rate: int, channels: int, codec: str
) -> None:
    path = tmp_path / name
    write_film(path, click(2.0, 1.0, rate, channels), rate, codec=codec)
    track = read_audio(path)
    assert track.state == "sound"
    assert track.samples.dtype == np.float32
    assert track.samples.ndim == 1
    assert clicked_at(track) == pytest.approx(1.0, abs=0.002)
    assert track.seconds == len(track.samples) / 16000
    assert 2.0 <= track.seconds < 2.0 + 2048 / rate  # the last AAC frame is whole


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_offsets_between_sound_and_pictures(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    sound = click(2.0, 1.0, 44100, 2)
    write_film(path, sound, 44100, audio_at=0.5)
    track = read_audio(path)
    assert clicked_at(track) == pytest.approx(1.5, abs=0.002)
    assert not track.samples[: int(0.45 * 16000)].any()
    write_film(path, sound, 44100, video_at=0.4)
    assert clicked_at(read_audio(path)) == pytest.approx(0.6, abs=0.002)
    write_film(path, sound, 44100, video_at=3.0)
    assert read_audio(path).state == "empty"  # all of it is over when the pictures begin


def test_a_gap_keeps_what_follows_in_time(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    sound = click(2.0, 1.5, 48000, 1)
    write_film(path, sound, 48000, codec="pcm_s16le", dropped=range(10, 40))
    track = read_audio(path)
    assert clicked_at(track) == pytest.approx(1.5, abs=0.002)
    assert track.seconds == pytest.approx(2.0, abs=0.002)


def test_sound_without_pictures_starts_with_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    write_film(path, click(1.0, 0.25, 44100, 1), 44100, video_at=None)
    assert clicked_at(read_audio(path)) == pytest.approx(0.25, abs=0.002)


def test_the_three_tracks_without_sound(tmp_path: Path) -> None:
    video, wav, film = tmp_path / "v.mp4", tmp_path / "e.wav", tmp_path / "s.mp4"
    write_video(video, 5)
    write_wav(wav, np.zeros((0, 1), np.int16), 8000)
    write_film(film, np.zeros((2, 22050), np.float32), 22050)
    absent, empty, silent = read_audio(video), read_audio(wav), read_audio(film)
    assert (absent.state, absent.samples.shape, absent.seconds) == ("absent", (0,), 0.0)
    assert (empty.state, empty.samples.shape, empty.seconds) == ("empty", (0,), 0.0)
    assert silent.state == "silent"
    assert len(silent.samples) >= 16000
    assert not silent.samples.any()


def test_one_sample_off_zero_is_sound(tmp_path: Path) -> None:
    samples = np.zeros((16000, 1), np.int16)
    samples[7000] = 1
    write_wav(tmp_path / "a.wav", samples, 16000)
    track = read_audio(tmp_path / "a.wav")
    assert track.state == "sound"
    assert track.samples[7000] == np.float32(1 / 32768)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 128, 255]], np.uint8).T, [-1, 0, 127 / 128]),
        (np.array([[-32768, 0, 16384]], np.int16).T, [-1, 0, 0.5]),
        (np.array([[-(2**31), 0, 2**30]], np.int32).T, [-1, 0, 0.5]),
        (np.array([[16384, 0], [16384, -16384], [0, 8192]], np.int16), [0.25, 0, 0.125]),
    ],
)
def test_sample_formats_and_the_mean_over_channels(
    tmp_path: Path, values: np.ndarray, expected: list[float]
) -> None:
    write_wav(tmp_path / "a.wav", values, 16000)
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav").samples, expected, atol=1e-7)


@pytest.mark.parametrize("codec", ["pcm_f32le", "pcm_f64le", "pcm_s24le", "flac"])
def test_deeper_formats(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.mkv"
    sound = np.zeros((2, 16000), np.float32)
    sound[0, 4000:8000] = 0.5
    write_film(path, sound, 16000, codec=codec, video_at=None)
    track = read_audio(path)
    np.testing.assert_allclose(track.samples[4000:8000], 0.25, atol=1e-4)
    assert len(track.samples) == 16000


@settings(max_examples=15)
@given(count=st.integers(1, 5000), rate=st.sampled_from([8000, 11025, 22050, 44100, 48000]))
def test_length_is_the_nearest_whole_number(
    tmp_path_factory: pytest.TempPathFactory, count: int, rate: int
) -> None:
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    write_wav(path, np.full((count, 1), 99, np.int16), rate)
    found = len(read_audio(path).samples)
    assert abs(found - count * 16000 / rate) <= 0.5


def test_a_tone_survives_resampling(tmp_path: Path) -> None:
    wave = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    write_wav(tmp_path / "a.wav", np.round(wave * 16384).astype(np.int16)[:, None], 44100)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    found = read_audio(tmp_path / "a.wav").samples
    np.testing.assert_allclose(found[100:-100], expected[100:-100], atol=2e-3)
    slower = read_audio(tmp_path / "a.wav", rate=8000)
    assert (len(slower.samples), slower.seconds) == (8000, 1.0)


def sentence(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_audio(path)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.mp4", "a.wav"])
def test_files_that_cannot_be_heard(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert sentence(path) == (
        f"{path}: not found, expected an audio or video file; copy it there or correct the path"
    )
    path.write_bytes(b"")
    assert sentence(path) == (
        f"{path}: found 0 bytes, expected an audio or video file; copy or download it again"
    )
    path.write_bytes(b"no media at all" * 9)
    assert sentence(path) == (
        f"{path}: found 135 bytes that do not open as media, expected an audio or video file; copy "
        "or download it again"
    )


def test_noise_amid_the_track(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    rng = np.random.default_rng(0)
    write_film(path, rng.normal(0, 0.2, (1, 44100)).astype(np.float32), 44100, video_at=None)
    size = path.stat().st_size
    spoil(path, size // 3, size // 2)
    assert sentence(path) == (
        f"{path}: found sound that does not decode, expected a whole audio track; copy or download "
        "it again"
    )


def test_a_codec_that_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    write_film(path, np.zeros((1, 8000), np.float32), 8000, video_at=None)
    path.write_bytes(path.read_bytes().replace(b"mp4a", b"zzzz").replace(b"esds", b"free"))
    assert sentence(path) == (
        f"{path}: found audio in a codec that FFmpeg cannot decode, expected one like AAC; convert "
        "the file to AAC"
    )
