"""`--model lynx` of lmms-eval: a trained adapter answers the questions of any video task.

    lmms-eval --model lynx --model_args adapter=runs/0.5b/sft/lynx/llava_video/seed0 --tasks ...

lmms-eval chooses the questions, their words and how answers are scored; a clip is opened, drawn and
put to the model by the code that `lynx ask` uses, as in the adapter's training.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import torch
from lmms_eval.api.instance import Instance
from lmms_eval.api.model import lmms
from lmms_eval.protocol import ChatMessages
from tqdm import tqdm

from lynx.config.stages import VideoFiles
from lynx.errors import InputError
from lynx.evaluate.lmms.arguments import ModelArguments
from lynx.evaluate.lmms.journal import Answered, Journal
from lynx.evaluate.lmms.requests import Generation, Shown, read_messages
from lynx.evaluate.own_clip import open_own_clip
from lynx.evaluate.trained import OpenedAdapter, Trained
from lynx.media.clip import Clip
from lynx.model.chat import EncodedChat
from lynx.model.generate import generate_answers


@dataclass(frozen=True)
class Asked:
    """One request: where its answer goes, what it is about, and the question's words."""

    place: int
    task: str
    doc: int
    shown: Shown | None
    text: str
    generation: Generation
    unreadable: str | None = None
    """Why the task could not name a video, if it could not."""


class LynxModel(lmms):
    """The chat interface of lmms-eval over one trained adapter, in one process."""

    is_simple = False

    def __init__(self, **arguments: object) -> None:
        """Open the adapter that the model arguments name; see `ModelArguments`.

        Raises:
            InputError: an argument is unknown or wrong, or the adapter cannot be used.
        """
        super().__init__()
        chosen = ModelArguments.read(arguments)
        processes = int(os.environ.get("WORLD_SIZE", "1"))
        if processes != 1:
            raise InputError(
                f"WORLD_SIZE: found {processes} processes, expected 1; start lmms-eval without a "
                "launcher, once for each task and GPU"
            )
        project = chosen.load_project()
        trained = Trained.open(project, chosen.adapter)
        self._project, self._trainer = project, trained.benchmark.name
        self._require_videos(chosen.adapter)
        self._settings = chosen.recipe(project).evaluate
        if chosen.benchmark is not None:
            trained = replace(trained, view=self._settings.view)
        self._opened = OpenedAdapter.load(project, trained)
        self._journal = Journal.open(chosen.journal)
        self._questions_per_batch = chosen.batch_size or self._settings.questions_per_batch

    def _require_videos(self, adapter: Path) -> None:
        experiment = self._project.experiment
        group = experiment.benchmarks[self._trainer].group
        if not isinstance(experiment.group_recipe(group).frames, VideoFiles):
            raise InputError(
                f"{adapter}: an adapter trained on {self._trainer}, whose clips are posed RGB-D "
                "scenes, expected one trained on videos because lmms-eval's clips are such; name "
                "another"
            )

    def generate_until(self, requests: list[Instance]) -> list[str]:
        """Greedy answers in the order of the requests; every clip is encoded once.

        A clip that cannot be read is answered with nothing, which counts as wrong, and is named.
        """
        asked = [self._ask(place, request) for place, request in enumerate(requests)]
        answers: dict[int, str] = {}
        with tqdm(total=len(asked), desc="lynx", unit="question", mininterval=1.0) as progress:
            for group in _by_clip(asked):
                found = [self._journal.find(item.task, item.doc, item.text) for item in group]
                known = [row for row in found if row is not None]
                if len(known) < len(group):  # all of a clip's questions again, in one batch as ever
                    known = self._answer(group)
                    self._journal.add(known)
                answers |= {item.place: row.text for item, row in zip(group, known, strict=True)}
                progress.update(len(group))
        self._journal.report()
        return [answers[place] for place in range(len(asked))]

    def _ask(self, place: int, request: Instance) -> Asked:
        _, to_messages, kwargs, doc, task, split = request.args
        generation = Generation.read(task, kwargs, self._settings.max_new_tokens)
        try:
            messages = to_messages(self.task_dict[task][split][doc])
        except SystemExit as error:  # tasks leave so where a video file is absent
            return Asked(place, task, doc, None, "", generation, str(error))
        found = ChatMessages(messages=messages).model_dump()["messages"]
        shown, text = read_messages(task, found)
        return Asked(place, task, doc, shown, text, generation)

    def _answer(self, group: Sequence[Asked]) -> list[Answered]:
        """Answers to questions about one clip."""
        shown, reason = group[0].shown, group[0].unreadable
        texts = [""] * len(group)
        if shown is not None:
            chats = self._opened.chats([item.text for item in group])
            try:
                with self._open(shown) as clip:
                    streams = self._opened.encode(clip)
                texts = self._generate(streams, chats, group[0].generation)
            except InputError as error:  # about the clip: the questions were read before
                reason = str(error)
        return [
            Answered(item.task, item.doc, item.text, text, reason)
            for item, text in zip(group, texts, strict=True)
        ]

    def _open(self, shown: Shown) -> AbstractContextManager[Clip]:
        return open_own_clip(self._project, self._trainer, [shown.path], shown.bounds)

    def _generate(
        self, streams: list[torch.Tensor], chats: list[EncodedChat], generation: Generation
    ) -> list[str]:
        """Texts of Q questions about a clip, from its streams (V, D) each."""
        texts: list[str] = []
        for start in range(0, len(chats), self._questions_per_batch):
            ids = generate_answers(
                self._opened.base,
                streams,
                chats[start : start + self._questions_per_batch],
                max_new_tokens=generation.max_new_tokens,
                min_new_tokens=self._settings.min_new_tokens,
            )
            texts += [generation.cut(self._opened.chat.decode(row)) for row in ids]
        return texts

    def loglikelihood(self, requests: list[Instance]) -> NoReturn:
        """Refused: chat tasks are generated."""
        raise InputError(_only_generates(requests, "likelihoods"))

    def generate_until_multi_round(self, requests: list[Instance]) -> NoReturn:
        """Refused: an adapter is trained on single questions about a clip."""
        raise InputError(_only_generates(requests, "several rounds"))


def _only_generates(requests: Sequence[Instance], found: str) -> str:
    tasks = ", ".join(sorted({request.task_name for request in requests}))
    return (
        f"task {tasks}: asks for {found}, expected one generated answer to each question; choose "
        "tasks of output_type generate_until"
    )


def _by_clip(asked: Iterable[Asked]) -> list[list[Asked]]:
    """Questions of one clip and one kind of answer each, clips in the order of their first."""
    groups: dict[object, list[Asked]] = {}
    for item in asked:
        clip: Any = item.shown if item.shown is not None else (item.task, item.doc)
        groups.setdefault((clip, item.generation), []).append(item)
    return list(groups.values())
