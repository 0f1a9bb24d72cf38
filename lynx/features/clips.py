"""Clips and what the model is shown of them: ordinary frames, and X drawn beside them.

Shape legend: F frames, K pseudo-frames, H x W stored size, P the tower's image size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from lynx.benchmarks import get_benchmark
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.stage import read_split, unique_clips
from lynx.config.drawing import Drawing
from lynx.config.stages import VideoFiles, ViewSettings
from lynx.errors import InputError
from lynx.media.clip import Clip
from lynx.media.inventory import UNHEARD
from lynx.media.one_pass import OnePassShelf
from lynx.media.shelf import SceneShelf, Shelf, VideoShelf
from lynx.modalities import get_modality
from lynx.model.pixels import FrameProcessor
from lynx.project import Project


def usable_samples(project: Project, benchmark: str, split: str) -> list[Sample]:
    """The samples of a split whose clip could be read, in table order.

    The others were counted against `frames.allow_missing`. They are not trained on; an answer that
    is asked of them is missing, and wrong.
    """
    shelf = open_shelf(project, benchmark)
    return [item for item in read_split(project, benchmark, split) if shelf.usable(item.clip)]


def samples_as_shown(project: Project, benchmark: str, split: str) -> list[Sample]:
    """The usable samples, each with what its prompt takes from the frames that are shown.

    These are the frames of the video stream, so that every variant is asked the same.

    Raises:
        InputError: they have no moments, being those of posed scenes.
    """
    samples = usable_samples(project, benchmark, split)
    at_moments = get_benchmark(benchmark).at_moments
    if at_moments is None:
        return samples
    view, shelf = project.experiment.view_of(benchmark, split), open_shelf(project, benchmark)
    if not isinstance(shelf, VideoShelf):
        raise InputError(
            f"benchmark {benchmark}: found posed frames without times, expected videos because "
            "its prompts depend on the moments that are shown; correct frames.media in the recipe"
        )
    moments: dict[str, list[float]] = {}
    for name in dict.fromkeys(sample.clip for sample in samples):
        clip = shelf.open(name)
        moments[name] = clip.times(clip.choose(view.frames, view.sampling))
    return [at_moments(sample, moments[sample.clip]) for sample in samples]


def clip_counts(project: Project, benchmark: str, split: str) -> dict[str, int]:
    """How many clips a split has, how many cannot be read, and of those whose sound X is drawn
    from how many have none: no track, one that is empty, or digital silence.
    """
    shelf = open_shelf(project, benchmark)
    names = unique_clips([read_split(project, benchmark, split)])
    counts = {"all": len(names), "unreadable": sum(not shelf.usable(name) for name in names)}
    if isinstance(shelf, VideoShelf):
        states = [shelf.clips[name].files[0].audio for name in names if shelf.usable(name)]
        if any(state is not None for state in states):
            counts |= {f"sound {state}": states.count(state) for state in UNHEARD}
    return counts


def open_shelf(project: Project, benchmark: str) -> Shelf:
    """Where a benchmark's clips are taken from."""
    experiment = project.experiment
    frames = experiment.frames_of(benchmark)
    folder, settings = project.layout.frames(frames), experiment.frame_settings(frames)
    if isinstance(settings, VideoFiles):
        root = project.clips_root(benchmark)
        return VideoShelf.read(folder, benchmark, root, settings.reader)
    return SceneShelf(folder)


def one_pass_shelf(shelf: Shelf, view: ViewSettings) -> OnePassShelf:
    """The shelf, with a video decoded once for all streams of a view."""
    return OnePassShelf(shelf, lambda clip: places_seen(clip, view))


def places_seen(clip: Clip, view: ViewSettings) -> tuple[int, ...]:
    """The places of the ordinary video that a view shows or draws X from."""
    places = clip.choose(view.frames, view.sampling)
    sees = get_modality(view.drawing.modality).sees
    return places if sees is None else (*places, *sees(clip, places, view.drawing))


def video_pixels(processor: FrameProcessor, clip: Clip, places: Sequence[int]) -> torch.Tensor:
    """Pixels (F, 3, P, P) of the ordinary video at these places."""
    return processor(clip.color(places))


def x_pixels(
    processor: FrameProcessor, clip: Clip, places: Sequence[int], drawing: Drawing
) -> torch.Tensor:
    """Pixels (K, 3, P, P) of X at these places."""
    modality = get_modality(drawing.modality)
    pixels = processor(modality.draw(clip, places, drawing))
    if modality.compose is None:
        return pixels
    frames: np.ndarray = pixels.permute(0, 2, 3, 1).numpy()
    return torch.from_numpy(modality.compose(frames, drawing)).permute(0, 3, 1, 2).contiguous()
