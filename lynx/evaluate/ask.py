"""Answers about a file of one's own, by a trained adapter (`lynx ask`).

What the clip is shown as, and whether X is drawn, is what the adapter was trained with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lynx.benchmarks import Benchmark
from lynx.benchmarks.sample import Sample, Turn
from lynx.errors import InputError
from lynx.evaluate.own_clip import open_own_clip
from lynx.evaluate.predict import answering
from lynx.evaluate.trained import OpenedAdapter, Trained
from lynx.media.clip import Clip
from lynx.media.inventory import UNHEARD
from lynx.media.video_clip import VideoClip
from lynx.project import Project


def ask(
    project: Project,
    adapter: Path,
    files: Sequence[Path],
    questions: Sequence[str],
    options: Sequence[str],
) -> list[str]:
    """Answers to `questions` about one clip, which is encoded once.

    `files` are a video and further views of the same moments, or one folder of posed RGB-D frames.
    `options` are needed where the adapter was trained to choose among letters, and only there.

    Raises:
        InputError: a file or the adapter cannot be used, nothing can be heard where X is sound, or
            views or options are missing or not asked for.
    """
    trained = Trained.open(project, adapter)
    benchmark = trained.benchmark
    _check_options(benchmark, options)
    _check_views(trained, files)
    opened = OpenedAdapter.load(project, trained)
    with open_own_clip(project, benchmark.name, files) as clip:
        if trained.draws_x:
            _require_sound(clip, benchmark)
        streams = opened.encode(clip)
    chats = opened.chats([_prompt(benchmark, question, options) for question in questions])
    settings = project.experiment.training_recipe(benchmark.name).evaluate
    return answering(opened.base, opened.chat, benchmark, settings)(streams, chats)


def _prompt(benchmark: Benchmark, question: str, options: Sequence[str]) -> str:
    turn = Turn(question=question, answer="")
    sample = Sample(id="0", clip="0", turns=(turn,), references=(), options=tuple(options))
    return benchmark.prompt(sample, 0)


def _check_options(benchmark: Benchmark, options: Sequence[str]) -> None:
    if len(options) != len(benchmark.letters):
        wanted = f"{len(benchmark.letters)}" if benchmark.letters else "none"
        raise InputError(
            f"--option: found {len(options)}, expected {wanted} because the adapter was trained on "
            f"{benchmark.title}; give --option once for each answer to choose from"
        )


def _check_views(trained: Trained, files: Sequence[Path]) -> None:
    wanted = trained.view.drawing.other_views if trained.draws_x else 0
    if len(files) - 1 != wanted:
        raise InputError(
            f"--view: found {len(files) - 1}, expected {wanted or 'none'} because the adapter was "
            f"trained so on {trained.benchmark.title}; give --view once for each other camera that "
            "it is shown"
        )


def _require_sound(clip: Clip, benchmark: Benchmark) -> None:
    """A silent X would be answered as if it had been heard; `frames` counts such clips."""
    if isinstance(clip, VideoClip) and (state := clip.files[0].audio) in UNHEARD:
        raise InputError(
            f"{clip.path(0)}: found no sound (its audio track is {state}), expected some because "
            f"the adapter was trained to hear {benchmark.title}'s videos; give a file with its "
            "sound, or an adapter of a variant without X"
        )
