"""Answers about a file of one's own, by a trained adapter (`lynx ask`).

What the clip is shown as, and whether X is drawn, is what the adapter was trained with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lynx.artifacts.manifest import MANIFEST_NAME
from lynx.artifacts.verify import require_stage
from lynx.benchmarks import Benchmark
from lynx.benchmarks.sample import Sample, Turn
from lynx.chat_tokens import chat_token_in
from lynx.config.loading import configured_with
from lynx.errors import InputError
from lynx.evaluate.own_clip import open_own_clip
from lynx.evaluate.predict import answering
from lynx.evaluate.trained import OpenedAdapter, Trained
from lynx.media.clip import Clip
from lynx.media.inventory import UNHEARD
from lynx.media.video_clip import VideoClip
from lynx.project import Project


def project_of(
    adapter: Path, root: Path, files: Sequence[Path], overrides: dict[str, object]
) -> Project:
    """The configured project; where it does not run what the adapter was trained on, with that.

    Raises:
        InputError: there is no such adapter, or the configuration is faulty.
    """
    if not (adapter / MANIFEST_NAME).is_file():
        raise InputError(
            f"--adapter {adapter}: found no folder with a {MANIFEST_NAME}, expected a trained "
            "adapter; name the folder of an sft artefact, e.g. runs/demo/sft/lynx/scanqa/seed0"
        )
    trained_on = str(require_stage(adapter, "sft").settings["benchmark"])
    project = Project.load(root, files, overrides)
    if trained_on in map(project.experiment.trainer_of, project.experiment.recipes):
        return project
    return Project.load(
        root, files, {**overrides, "benchmarks": [configured_with(root, trained_on)]}
    )


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
        InputError: a file or the adapter cannot be used, a question or an option is blank or holds
            a token of the chat, nothing can be heard where X is sound, or views or options are
            missing or not asked for.
    """
    _check_texts("question", questions)
    _check_texts("--option", options)
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


def _check_texts(what: str, texts: Sequence[str]) -> None:
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            raise InputError(
                f"{what} {number} of {len(texts)}: found {text!r}, expected some text; write what "
                "is meant, or leave it out"
            )
        if token := chat_token_in([text]):
            raise InputError(
                f"{what} {number} of {len(texts)}: found {token} in {text!r}, expected none "
                "because the model reads it as a part of the chat, not as text; leave it out"
            )


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
