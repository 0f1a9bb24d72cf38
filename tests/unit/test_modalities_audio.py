from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lynx.errors import InputError
from lynx.modalities.audio import (
    align_image,
    clip_images,
    released_starts,
    spread_starts,
    to_gray,
)
from lynx.modalities.mel import log_mel, mel_filters, power_spectrogram

RATE = 16000


def noise(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return np.asarray(0.1 * rng.normal(size=round(seconds * RATE)), dtype=np.float32)


def test_align_image_hears_the_first_eight_seconds() -> None:
    track = noise(10.0)
    np.testing.assert_array_equal(align_image(track), align_image(track[:128000]))
    assert (align_image(track) != align_image(track[160:])).any()


def test_a_short_track_is_filled_up_with_silence() -> None:
    track = noise(3.0)
    filled = np.concatenate([track, np.zeros(5 * RATE, np.float32)])
    np.testing.assert_array_equal(align_image(track), align_image(filled))
    assert (align_image(track)[0, :, 200:] == 0).all()
    np.testing.assert_array_equal(clip_images(track, [2.0, 5.0]), clip_images(filled, [2.0, 5.0]))


def test_an_empty_track_is_a_silent_one() -> None:
    nothing, silence = np.zeros(0, np.float32), np.zeros(128000, np.float32)
    assert (align_image(nothing) == 0).all()
    np.testing.assert_array_equal(
        clip_images(nothing, [0.0, 3.0]), clip_images(silence, [0.0, 3.0])
    )


def test_pictures_are_grey_and_low_frequencies_are_at_the_top() -> None:
    times = np.arange(2 * RATE) / RATE
    for hertz, row in ((200.0, 11), (4000.0, 96)):
        tone = np.asarray(np.sin(2 * np.pi * hertz * times), dtype=np.float32)
        picture = clip_images(tone, [0.0])[0, :, :201]
        assert (picture == picture[..., :1]).all()
        assert picture[..., 0].astype(float).mean(axis=1).argmax() == row


def test_clips_are_drawn_together_as_they_are_alone() -> None:
    track = noise(12.0)
    starts = [0.0, 0.37, 5.5, 11.0, 40.0]
    together = clip_images(track, starts)
    assert together.shape == (5, 128, 204, 3)
    for start, picture in zip(starts, together, strict=True):
        np.testing.assert_array_equal(clip_images(track, [start])[0], picture)
    first = round(0.37 * RATE)
    np.testing.assert_array_equal(
        clip_images(track[first : first + 2 * RATE], [0.0])[0], together[1]
    )


def test_loudness_is_erased_but_for_the_filled_columns() -> None:
    loud = np.asarray(100 * noise(2.0, seed=3), dtype=np.float32)
    assert clip_images(loud, [0.0])[0, :, 201:].max() < 255  # ln 1 = 0 is not the brightest
    assert (clip_images(loud / 1000, [0.0])[0, :, 201:] == 255).all()
    tracks = [noise(8.0) * np.float32(gain) for gain in (10.0, 100.0)]
    low, high = (align_image(track).astype(int) for track in tracks)
    assert np.abs(low - high).max() <= 1


def test_a_shorter_clip_has_more_filled_columns() -> None:
    picture = clip_images(np.zeros(RATE, np.float32), [0.0], seconds=1.0)[0]
    assert (picture[:, :101] == 0).all()
    assert (picture[:, 101:] == 255).all()


def test_to_gray_cuts_off_and_treats_each_picture_alone() -> None:
    pictures = np.array([[[0.0, 0.999, 2.0]], [[7.0, 7.0, 7.0]], [[-4.0, -2.0, 0.0]]])
    assert to_gray(pictures)[:, 0, :, 1].tolist() == [[0, 127, 255], [0, 0, 0], [0, 127, 255]]


@pytest.mark.parametrize("seconds", [0.0125, 2.04, 8.0])
def test_a_clip_fits_the_picture(seconds: float) -> None:
    with pytest.raises(
        ValueError, match=f"clips of {seconds:g} s; expected more than 0.0125 s, and"
    ):
        clip_images(noise(1.0), [0.0], seconds)


def test_the_longest_clip_fills_the_picture() -> None:
    picture = clip_images(np.zeros(3 * RATE, np.float32), [0.0], seconds=2.0399)
    assert (picture == 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_sound_is_finite(value: float) -> None:
    track = noise(1.0)
    track[[5, 70]] = value
    for draw in (align_image, lambda samples: clip_images(samples, [0.0])):
        with pytest.raises(InputError) as caught:
            draw(track)
        assert str(caught.value) == (
            "sound: found 2 of 16000 samples that are not finite, expected numbers; leave the file "
            "out or encode it again"
        )


@pytest.mark.parametrize("samples", [np.zeros((2, 100), np.float32), np.zeros(100, np.int16)])
def test_sound_is_mono_floating_point(samples: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match=r"sound .*; expected \(N,\) floating point"):
        align_image(samples)
    with pytest.raises(ValueError, match=r"sound .*; expected \(N,\) floating point"):
        clip_images(samples, [0.0])


@pytest.mark.parametrize("starts", [[], [-0.5], [0.0, np.nan]])
def test_clips_start_within_the_track(starts: list[float]) -> None:
    with pytest.raises(ValueError, match="expected one or more, all from 0 s on"):
        clip_images(noise(1.0), starts)


def test_released_starts() -> None:
    assert released_starts(4, 0.5) == [0.0, 0.5, 1.0, 1.5]
    assert released_starts(32, 1.0)[-1] + 2 == 33.0
    for n, stride in ((0, 1.0), (3, 0.0), (3, -1.0), (3, np.nan)):
        with pytest.raises(ValueError, match="expected positive numbers"):
            released_starts(n, stride)


def test_spread_starts_are_centred_on_frames_as_far_as_they_fit() -> None:
    assert spread_starts(10.0, 6) == [0.0, 1.0, 3.0, 5.0, 7.0, 8.0]
    assert spread_starts(60.0, 3, [0.5, 30.25, 59.9]) == [0.0, 29.25, 58.0]
    assert spread_starts(10.0, 2, [3.0, 12.0], seconds=1.0) == [2.5, 9.0]
    assert spread_starts(10.0, 3, [5.0, 5.0, 5.0]) == [4.0, 4.0, 4.0]


def test_spread_starts_of_one_frame() -> None:
    assert spread_starts(9.0, 1) == [3.5]
    assert spread_starts(9.0, 1, [0.25]) == [0.0]


@pytest.mark.parametrize("duration", [0.1, 1.5, 2.0])
def test_spread_starts_of_a_video_no_longer_than_a_clip(duration: float) -> None:
    assert spread_starts(duration, 3) == [0.0, 0.0, 0.0]
    assert spread_starts(duration, 1) == [0.0]


@settings(max_examples=100)
@given(duration=st.floats(0.05, 4000), n=st.integers(1, 64), seconds=st.floats(0.1, 2.0))
def test_spread_starts_rise_within_the_video(duration: float, n: int, seconds: float) -> None:
    starts = spread_starts(duration, n, seconds=seconds)
    assert len(starts) == n
    assert starts == sorted(starts)
    assert starts[0] >= 0
    assert starts[-1] <= max(duration - seconds, 0)
    if n > 1:  # from end to end: nothing at the end of a long track goes unheard
        assert starts[0] == 0
        assert starts[-1] == pytest.approx(max(duration - seconds, 0))


def test_spread_starts_refuse_what_has_no_place() -> None:
    for duration, n, seconds in ((0.0, 3, 2.0), (np.inf, 3, 2.0), (9.0, 0, 2.0), (9.0, 3, 0.0)):
        with pytest.raises(ValueError, match="expected positive numbers"):
            spread_starts(duration, n, seconds=seconds)
    for times in ([1.0, 2.0], [1.0, 2.0, np.nan]):
        with pytest.raises(ValueError, match=r"frame times .*; expected 3 finite ones"):
            spread_starts(9.0, 3, times)


def test_the_spectrum_needs_sound_to_reflect() -> None:
    assert power_spectrogram(np.zeros(201), 400, 400, 160).shape == (201, 2)
    for count, win in ((200, 400), (1000, 0), (1000, 401)):
        with pytest.raises(ValueError, match="expected more than n_fft // 2 samples and a window"):
            power_spectrogram(np.zeros(count), 400, win, 160)


def test_silence_is_the_floor_and_shared_tables_cannot_be_changed() -> None:
    np.testing.assert_array_equal(log_mel(np.zeros(1000), 400, 400, 160), np.log(1e-6))
    with pytest.raises(ValueError, match="read-only"):
        mel_filters(400)[0, 0] = 1.0


def test_drawing_needs_no_torch() -> None:
    code = (
        "import sys, numpy as np\n"
        "from lynx.modalities import audio, fast, view\n"
        "audio.clip_images(np.zeros(9, np.float32), [0.0])\n"
        "audio.align_image(np.zeros(9, np.float32))\n"
        "fast.tile_frames(np.zeros((4, 2, 2, 3), np.uint8))\n"
        "view.order_views([np.zeros((1, 2, 2, 3), np.uint8)])\n"
        "print([name for name in ('torch', 'torchaudio') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
