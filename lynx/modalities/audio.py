"""Sound as grey log-mel pictures (method section 2.5.1).

Stages draw it differently ("released" behaviour, P13): alignment sees one picture of 8 s for a
track, fine-tuning and evaluation one picture of 2 s for each frame, with another spectrogram.

Legend: `N` samples of mono sound at 16 kHz, full scale 1, `C` clips, 128 mel rows, `T` columns. Low
frequencies are at the top. Times are seconds from the start of the track.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lynx.config.drawing import Drawing
from lynx.config.strict import PositiveFloat
from lynx.errors import InputError
from lynx.modalities.mel import SAMPLE_RATE, Float64, log_mel
from lynx.modalities.registry import Modality

if TYPE_CHECKING:  # opening a clip needs the decoding libraries, reading a recipe does not
    from lynx.media.video_clip import VideoClip

UInt8 = NDArray[np.uint8]
Waveform = NDArray[np.floating]

ALIGN_SECONDS = 8.0
CLIP_SECONDS = 2.0
CLIP_COLUMNS = 204
_ALIGN_FFT, _ALIGN_HOP = 1024, 256
_CLIP_FFT, _CLIP_HOP = 400, 160  # 25 ms and 10 ms
_IMAGEBIND_MEAN, _IMAGEBIND_STD = -4.268, 9.138


class AudioDrawing(Drawing):
    """How a sound track becomes pseudo-frames."""

    modality: Literal["audio"]
    form: Literal["image", "clips"] = Field(
        description="one picture of the first 8 s, or one of 2 s for each frame"
    )
    placement: Literal["start", "stride", "spread"] = Field(
        description="an image lies at the start; clips follow at a stride from the start, as "
        "released, or are spread over the video in step with its frames"
    )
    stride: PositiveFloat | None = Field(description="seconds between clips placed at a stride")

    def pseudo_frames(self, steps: int) -> int:
        """One picture for the track, or one for each frame."""
        return 1 if self.form == "image" else steps

    @model_validator(mode="after")
    def _placed(self) -> AudioDrawing:
        if (self.form == "image") != (self.placement == "start"):
            raise ValueError(
                f"form {self.form} with placement {self.placement}; an image lies at the start, "
                "clips at a stride or spread"
            )
        if (self.placement == "stride") != (self.stride is not None):
            raise ValueError(
                f"placement {self.placement} with stride {self.stride}; give a stride to placement "
                "stride and null to any other"
            )
        return self


def align_image(samples: Waveform) -> UInt8:
    """Draw the first 8 s of samples (N,) as (1, 128, 501, 3), "released" behaviour of alignment.

    A shorter track is filled up with silence, the rest of a longer one is not heard. The picture is
    stretched to its own range: loudness is erased, and a picture of one value, which silence and an
    empty track give, is black.

    Raises:
        InputError: a sample is not finite.
        ValueError: `samples` is not (N,) floating point.
    """
    _check(samples)
    window = _windows(samples, np.zeros(1, np.int64), round(ALIGN_SECONDS * SAMPLE_RATE))
    return to_gray(log_mel(window, _ALIGN_FFT, _ALIGN_FFT, _ALIGN_HOP))


def clip_images(
    samples: Waveform, starts_seconds: Sequence[float], seconds: float = CLIP_SECONDS
) -> UInt8:
    """Draw the clips of samples (N,) from each start on as (C, 128, 204, 3), as fine-tuning does.

    "Released" behaviour, kept with its quirks (method section 9, S17):

    - What a clip lacks past the end of the track is silence.
    - Up to 204 columns the log-mels are filled up with 0, which is brighter than anything quiet:
      the last 3 columns of a quiet 2 s clip are white, and in a silent one all else is black.
    - The standardisation with ImageBind's constants cancels in the stretch that follows; what is
      left of it is rounding, one grey level at most.
    - Each clip is stretched to its own range: loudness is erased, and near-silence has full
      contrast.

    Raises:
        InputError: a sample is not finite.
        ValueError: `samples` is not (N,) floating point, there is no start, one is negative, or
            `seconds` do not fill 2 to 204 columns of 10 ms.
    """
    return to_gray(clip_log_mels(samples, starts_seconds, seconds))


def clip_log_mels(
    samples: Waveform, starts_seconds: Sequence[float], seconds: float = CLIP_SECONDS
) -> Float64:
    """What `clip_images` stretches to grey: (C, 128, 204), filled up with 0, then standardised.

    Raises:
        InputError, ValueError: as `clip_images`.
    """
    _check(samples)
    starts = np.asarray(starts_seconds, dtype=np.float64)
    if starts.ndim != 1 or not len(starts) or not (np.isfinite(starts) & (starts >= 0)).all():
        raise ValueError(f"clip starts {starts.tolist()}; expected one or more, all from 0 s on")
    length = round(seconds * SAMPLE_RATE)
    if not _CLIP_FFT // 2 < length < CLIP_COLUMNS * _CLIP_HOP:
        raise ValueError(
            f"clips of {seconds:g} s; expected more than 0.0125 s, and less than 2.04 s that 204 "
            "columns of 10 ms hold"
        )
    windows = _windows(samples, np.round(starts * SAMPLE_RATE).astype(np.int64), length)
    logs = log_mel(windows, _CLIP_FFT, _CLIP_FFT, _CLIP_HOP)
    filled = np.pad(logs, ((0, 0), (0, 0), (0, CLIP_COLUMNS - logs.shape[-1])))
    return standardised(filled)


def released_starts(n: int, stride: float) -> list[float]:
    """Starts of `n` clips, i * `stride` seconds from the beginning of the track.

    "Released" behaviour (S16): the clips are not in step with the frames. They end at
    (n - 1) * stride + 2 s, so the rest of a longer track is not heard, and clips beyond the end of
    a shorter one are silent.

    Raises:
        ValueError: `n` or `stride` is not positive.
    """
    if n < 1 or not stride > 0:
        raise ValueError(f"{n} clips with a stride of {stride} s; expected positive numbers")
    return [index * stride for index in range(n)]


def spread_starts(
    duration: float,
    n: int,
    frame_times: Sequence[float] | None = None,
    seconds: float = CLIP_SECONDS,
) -> list[float]:
    """Starts of `n` clips in step with the video's `n` frames: a remedy of S16.

    Clip i is centred on the time of frame i and then moved by as little as brings it into
    [0, duration]: start = min(max(time - seconds / 2, 0), max(duration - seconds, 0)). So frames
    within half a clip of an end share their clip with it, and clips may overlap or leave gaps. A
    video that is shorter than a clip has every start at 0 and silence after its end.

    `duration` is the video's length in seconds, not the track's: sound that is missing at the end
    stays silence at its place. `frame_times` are the frames' timestamps; without them the frames
    are spread evenly from 0 to `duration`, one frame in the middle.

    Raises:
        ValueError: `duration`, `n` or `seconds` is not positive, or there are not `n` finite times.
    """
    if not 0 < duration < float("inf") or n < 1 or not seconds > 0:
        raise ValueError(f"{n} clips of {seconds} s over {duration} s; expected positive numbers")
    if frame_times is None:
        frame_times = np.linspace(0, duration, n).tolist() if n > 1 else [duration / 2]
    times = np.asarray(frame_times, dtype=np.float64)
    if times.shape != (n,) or not np.isfinite(times).all():
        raise ValueError(f"frame times {times.tolist()}; expected {n} finite ones")
    starts: list[float] = np.clip(times - seconds / 2, 0.0, max(duration - seconds, 0.0)).tolist()
    return starts


def standardised(logs: Float64) -> Float64:
    """Log-mel (..., 128, T) by ImageBind's constants, (x + 4.268) / 9.138."""
    return (logs - _IMAGEBIND_MEAN) / _IMAGEBIND_STD


def to_gray(pictures: Float64) -> UInt8:
    """Stretch each picture (C, 128, T) to its own 0 to 255 and cut to integers: (C, 128, T, 3).

    A picture of one value has no range and is black.
    """
    lowest = pictures.min(axis=(-2, -1), keepdims=True)
    span = pictures.max(axis=(-2, -1), keepdims=True) - lowest
    levels = (pictures - lowest) / np.where(span > 0, span, 1.0) * 255
    return np.repeat(levels.astype(np.uint8)[..., None], 3, axis=-1)


def _windows(samples: Waveform, starts: NDArray[np.int64], length: int) -> Waveform:
    """`length` samples from each start on, (C, length); zero past the end of samples (N,)."""
    # one zero behind the track stands for everything past its end
    places = np.minimum(starts[:, None] + np.arange(length), len(samples))
    windows: Waveform = np.append(samples, samples.dtype.type(0))[places]
    return windows


def _check(samples: Waveform) -> None:
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
        raise ValueError(f"sound {samples.dtype} {samples.shape}; expected (N,) floating point")
    faulty = len(samples) - int(np.isfinite(samples).sum())
    if faulty:
        raise InputError(
            f"sound: found {faulty} of {len(samples)} samples that are not finite, expected "
            "numbers; leave the file out or encode it again"
        )


def _draw(clip: VideoClip, places: Sequence[int], settings: AudioDrawing) -> UInt8:
    """The clip's sound: one picture of its beginning, or one for each of the frames at `places`."""
    samples = clip.sound(SAMPLE_RATE)
    if settings.form == "image":
        return align_image(samples)
    if settings.stride is not None:
        return clip_images(samples, released_starts(len(places), settings.stride))
    starts = spread_starts(clip.seconds, len(places), clip.times(places))
    return clip_images(samples, starts)


MODALITY = Modality("audio", AudioDrawing, _draw)
