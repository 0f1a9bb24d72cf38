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
        InputError: a file or the adapter cannot be used, or options are missing or not asked for.
    """
    trained = Trained.open(project, adapter)
    benchmark = trained.benchmark
    _check_options(benchmark, options)
    opened = OpenedAdapter.load(project, trained)
    with open_own_clip(project, benchmark.name, files) as clip:
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
