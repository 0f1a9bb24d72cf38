"""Log-mel spectrograms: the filters and the transform that all drawn sound shares (method 2.5.1).

Legend: `N` samples of mono sound at 16 kHz, full scale 1, `T` = 1 + N // hop columns,
`K` = n_fft // 2 + 1 frequencies; `...` is any number of clips of equal length.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

SAMPLE_RATE = 16000
LOG_FLOOR = 1e-6
_TOP_HZ = SAMPLE_RATE / 2


def log_mel(
    samples: NDArray[np.floating], n_fft: int, win: int, hop: int, bins: int = 128
) -> Float64:
    """Natural log of mel energies, samples (..., N) to (..., bins, T), low frequencies first.

    ln(filters @ |STFT|^2 + 1e-6), "released" behaviour (method section 2.5.1). Silence is
    ln(1e-6) = -13.8, and sound of full scale rises above 0.

    Raises:
        ValueError: as `power_spectrogram`.
    """
    energies = mel_filters(n_fft, bins) @ power_spectrogram(samples, n_fft, win, hop)
    logs: Float64 = np.log(energies + LOG_FLOOR)
    return logs


def power_spectrogram(samples: NDArray[np.floating], n_fft: int, win: int, hop: int) -> Float64:
    """|STFT|^2 of samples (..., N), as (..., K, T).

    Column t is centred on sample t * hop of the sound, which is reflected at both ends by
    n_fft // 2 samples; the Hann window is periodic and stands in the middle of n_fft. This is
    `torch.stft` with its defaults, computed in float64.

    Raises:
        ValueError: N does not exceed n_fft // 2, so that it cannot be reflected, or not
            0 < win <= n_fft.
    """
    reflected = n_fft // 2
    if samples.shape[-1] <= reflected or not 0 < win <= n_fft:
        raise ValueError(
            f"{samples.shape[-1]} samples, n_fft {n_fft} and win {win}; expected more than n_fft "
            "// 2 samples and a window of 1 to n_fft samples"
        )
    ends = [(0, 0)] * (samples.ndim - 1) + [(reflected, reflected)]
    padded = np.pad(samples.astype(np.float64), ends, mode="reflect")
    pieces = sliding_window_view(padded, n_fft, axis=-1)[..., ::hop, :]
    spectrum = np.fft.rfft(pieces * _hann(n_fft, win), axis=-1)
    return np.ascontiguousarray(np.swapaxes(spectrum.real**2 + spectrum.imag**2, -1, -2))


@lru_cache(maxsize=4)
def mel_filters(n_fft: int, bins: int = 128) -> Float64:
    """Triangles (bins, K) on the HTK mel scale from 0 to 8 kHz, each with a peak of 1.

    Corners are equally spaced in mel and cut down to whole FFT bins, "released" behaviour. At the
    low end neighbouring corners share a bin: a centre on its left corner and a right corner on its
    centre then move up by one. So with n_fft 400 only 107 of 128 filters differ and four are empty,
    with n_fft 1024 127 differ; equal filters are equal rows of a picture. Areas are not normalised.
    """
    top_mel = 2595 * np.log10(1 + _TOP_HZ / 700)
    hertz = 700 * (10 ** (np.linspace(0, top_mel, bins + 2) / 2595) - 1)
    corners = np.clip(np.floor((n_fft + 1) * hertz / SAMPLE_RATE), 0, n_fft // 2)
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    centre = np.where(centre == left, centre + 1, centre)
    right = np.where(right == centre, right + 1, right)
    return _read_only(_triangles(left, centre, right, n_fft // 2 + 1))


def _triangles(left: Float64, centre: Float64, right: Float64, frequencies: int) -> Float64:
    """Weights (bins, K): up from `left` to `centre`, down to `right`, in FFT bins.

    Where all three share a bin the moved centre lies beyond `right`, and the triangle is empty.
    """
    k = np.arange(frequencies)
    lower, middle, upper = left[:, None], centre[:, None], right[:, None]
    rising = np.where((lower <= k) & (k < middle), (k - lower) / (middle - lower), 0.0)
    falls = (middle <= k) & (k < upper)
    # the width is negative where the triangle is empty, and no k is on its falling side
    falling = np.where(falls, (upper - k) / np.maximum(upper - middle, 1), 0.0)
    return rising + falling


@lru_cache(maxsize=4)
def _hann(n_fft: int, win: int) -> Float64:
    """Periodic Hann window of `win` samples in the middle of (n_fft,) zeros."""
    window = np.zeros(n_fft)
    start = (n_fft - win) // 2
    window[start : start + win] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(win) / win)
    return _read_only(window)


def _read_only(table: Float64) -> Float64:
    table.setflags(write=False)  # it is shared through the cache
    return table
