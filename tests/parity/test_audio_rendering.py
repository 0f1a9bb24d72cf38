"""Published numbers of drawn sound (parity checks 17 to 20), and its filters and spectrum."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lynx.modalities.audio import (
    align_image,
    clip_images,
    clip_log_mels,
    released_starts,
    standardised,
    to_gray,
)
from lynx.modalities.mel import log_mel, mel_filters, power_spectrogram

RATE = 16000
ALIGN = (1024, 1024, 256)
CLIP = (400, 400, 160)
FORMS = pytest.mark.parametrize("form", [ALIGN, CLIP])


def tone(hertz: float, seconds: float) -> NDArray[np.float32]:
    times = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(0.5 * np.sin(2 * np.pi * hertz * times), dtype=np.float32)


def noise(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """Noise whose loudness rises hundredfold from end to end."""
    count = round(seconds * RATE)
    values = np.random.default_rng(seed).normal(size=count) * np.geomspace(1e-3, 1e-1, count)
    return np.asarray(values, dtype=np.float32)


def literal_filters(n_fft: int, bins: int) -> list[list[float]]:
    """The filter bank as the method words it, one weight at a time."""
    top = 2595 * math.log10(1 + 8000 / 700)
    corners = []
    for point in range(bins + 2):
        hertz = 700 * (10 ** (top * point / (bins + 1) / 2595) - 1)
        corners.append(min(max(math.floor((n_fft + 1) * hertz / 16000), 0), n_fft // 2))
    bank = []
    for index in range(bins):
        left, centre, right = corners[index : index + 3]
        if centre == left:
            centre += 1
        if right == centre:
            right += 1
        row = [0.0] * (n_fft // 2 + 1)
        for k in range(left, centre):
            row[k] = (k - left) / (centre - left)
        for k in range(centre, right):
            row[k] = (right - k) / (right - centre)
        bank.append(row)
    return bank


def literal_power(samples: NDArray[np.float32], n_fft: int, hop: int) -> NDArray[np.float64]:
    """|STFT|^2 by the sum that defines it, one column at a time."""
    half = n_fft // 2
    mirrored = np.concatenate([samples[half:0:-1], samples, samples[-2 : -half - 2 : -1]])
    window = np.array([math.sin(math.pi * i / n_fft) ** 2 for i in range(n_fft)])
    k, i = np.arange(half + 1)[:, None], np.arange(n_fft)[None, :]
    turn = np.exp(-2j * np.pi * (k * i % n_fft) / n_fft)
    columns = [
        np.abs(turn @ (mirrored[start : start + n_fft] * window)) ** 2
        for start in range(0, len(samples) + 1, hop)
    ]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize(("n_fft", "distinct", "empty"), [(400, 107, 4), (1024, 127, 0)])
def test_equal_and_empty_filters(n_fft: int, distinct: int, empty: int) -> None:
    """The published count of distinct filters takes all the empty ones for one."""
    filters = mel_filters(n_fft)
    assert filters.shape == (128, n_fft // 2 + 1)
    assert len(np.unique(filters, axis=0)) == distinct
    assert (filters.sum(axis=1) == 0).sum() == empty


@pytest.mark.parametrize(("n_fft", "bins"), [(400, 128), (1024, 128), (512, 40), (256, 80)])
def test_filters_are_the_literal_ones(n_fft: int, bins: int) -> None:
    np.testing.assert_allclose(mel_filters(n_fft, bins), literal_filters(n_fft, bins), atol=1e-12)


@FORMS
def test_log_mel_is_the_literal_one(form: tuple[int, int, int]) -> None:
    n_fft, _, hop = form
    samples = noise(0.1)
    expected = np.log(
        np.array(literal_filters(n_fft, 128)) @ literal_power(samples, n_fft, hop) + 1e-6
    )
    drawn = log_mel(samples, *form)
    assert drawn.shape == (128, 1 + 1600 // hop)
    np.testing.assert_allclose(drawn, expected, atol=1e-9)


@pytest.mark.parametrize("form", [ALIGN, CLIP, (400, 320, 160), (401, 300, 100)])
def test_spectrum_is_torch_stft(form: tuple[int, int, int]) -> None:
    n_fft, win, hop = form
    samples = np.stack([noise(0.3, seed=1), tone(1234.5, 0.3)])
    expected = (
        torch.stft(
            torch.from_numpy(samples).double(),
            n_fft,
            hop_length=hop,
            win_length=win,
            window=torch.hann_window(win, dtype=torch.float64),
            center=True,
            pad_mode="reflect",
            return_complex=True,
        )
        .abs()
        .square()
    )
    spectrum = power_spectrogram(samples, n_fft, win, hop)
    np.testing.assert_allclose(spectrum, expected.numpy(), rtol=1e-9, atol=1e-9)


@FORMS
def test_grey_levels_of_a_float32_transform(form: tuple[int, int, int]) -> None:
    """The scripts compute in float32; that is rounding, seen as a level where it is cut."""
    n_fft, win, hop = form
    samples = noise(2.0)
    spectrum = torch.stft(
        torch.from_numpy(samples), n_fft, hop, win, torch.hann_window(win), return_complex=True
    )
    single = torch.log(
        torch.from_numpy(mel_filters(n_fft).astype(np.float32)) @ spectrum.abs().square() + 1e-6
    )
    ours = to_gray(log_mel(samples, *form)[None]).astype(int)
    theirs = to_gray(single.double().numpy()[None]).astype(int)
    assert np.abs(ours - theirs).max() <= 1
    assert (ours != theirs).mean() < 0.001


def test_17_clips_and_their_filled_columns() -> None:
    samples = noise(10.0)
    starts = released_starts(20, 0.5)
    logs = clip_log_mels(samples, starts)
    assert logs.shape == (20, 128, 204)
    assert (logs[:, :, 201:] == (0 + 4.268) / 9.138).all()
    assert clip_images(samples, starts).shape == (20, 128, 204, 3)
    for index in (0, 7, 16):  # 16 is the last one that ends within the track
        alone = log_mel(samples[index * 8000 : index * 8000 + 32000], *CLIP)
        np.testing.assert_allclose(logs[index, :, :201], (alone + 4.268) / 9.138, atol=1e-12)
    cut = np.concatenate([samples[19 * 8000 :], np.zeros(24000, np.float32)])
    np.testing.assert_allclose(logs[19, :, :201], standardised(log_mel(cut, *CLIP)), atol=1e-12)


@pytest.mark.parametrize("loudness", [1e-3, 1.0])
def test_18_the_standardisation_cancels(loudness: float) -> None:
    logs = np.pad(log_mel(loudness * noise(2.0), *CLIP), ((0, 0), (0, 3)))[None]
    drawn = clip_images(loudness * noise(2.0), [0.0])
    plain = to_gray(logs)
    assert plain.max() == drawn.max() == 255
    assert np.abs(plain.astype(int) - drawn.astype(int)).max() <= 1


def test_19_silence() -> None:
    clip = clip_images(np.zeros(32000, np.float32), [0.0])[0]
    assert np.unique(clip).tolist() == [0, 255]
    assert (clip[:, :201] == 0).all()
    assert (clip[:, 201:] == 255).all()
    image = align_image(np.zeros(128000, np.float32))
    assert image.shape == (1, 128, 501, 3)
    assert image.dtype == np.uint8
    assert (image == 0).all()


def test_each_path_has_its_own_spectrogram() -> None:
    """P13: alignment draws 8 s at once with n_fft 1024, fine-tuning 2 s with n_fft 400."""
    samples = noise(8.0)
    np.testing.assert_array_equal(align_image(samples), to_gray(log_mel(samples[None], *ALIGN)))
    second = np.pad(log_mel(samples[None, 16000:48000], *CLIP), ((0, 0), (0, 0), (0, 3)))
    np.testing.assert_array_equal(clip_images(samples, [1.0]), to_gray(standardised(second)))


def test_20_440_hertz() -> None:
    align = align_image(tone(440, 8.0))[0, ..., 0].astype(float)
    clip = clip_images(tone(440, 2.0), [0.0])[0, :, :201, 0].astype(float)
    for picture in (align, clip):
        assert picture.mean(axis=1).argmax() == 24
        # reflected where it is not even, a tone is broken at both ends
        assert set(picture[:, 3:-3].argmax(axis=0)) == {24}
