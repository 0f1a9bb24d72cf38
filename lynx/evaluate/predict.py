"""Greedy answers to an evaluation split, resumable per sample (architecture, rule 4).

Questions are batched by clip in table order, whatever was answered before, so that a resumed run
forms the same batches and gives the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from lynx.artifacts.publish import append_flushed, write_atomic
from lynx.artifacts.sealed import open_line, sealed_line
from lynx.benchmarks import Benchmark
from lynx.benchmarks.sample import Sample
from lynx.config.stages import EvaluateSettings
from lynx.model.base import Base
from lynx.model.chat import ChatEncoder, EncodedChat
from lynx.model.generate import choose_tokens, generate_answers
from lynx.sft.dataset import Prompt, conversation
from lynx.sft.train import TokenSource

ANSWERS_NAME = "answers.jsonl"


def question_batches(samples: Sequence[Sample], size: int) -> list[list[Sample]]:
    """Samples of one clip each, in table order, at most `size` to a batch."""
    by_clip: dict[str, list[Sample]] = {}
    for sample in samples:
        by_clip.setdefault(sample.clip, []).append(sample)
    return [
        items[start : start + size]
        for items in by_clip.values()
        for start in range(0, len(items), size)
    ]


Answer = Callable[[list[torch.Tensor], list[EncodedChat]], list[str]]
"""Answers to questions about one clip, from its streams and the encoded questions."""


def generated(base: Base, encoder: ChatEncoder, settings: EvaluateSettings) -> Answer:
    """Answers in the model's own words."""

    def answer(streams: list[torch.Tensor], chats: list[EncodedChat]) -> list[str]:
        ids = generate_answers(
            base,
            streams,
            chats,
            max_new_tokens=settings.max_new_tokens,
            min_new_tokens=settings.min_new_tokens,
        )
        return [encoder.decode(row) for row in ids]

    return answer


def chosen_letter(base: Base, encoder: ChatEncoder, letters: Sequence[str]) -> Answer:
    """Answers by the likeliest letter, read with and without a leading space.

    Raises:
        InputError: the base's tokenizer splits a letter into several tokens.
    """
    choices = encoder.single_tokens([form for letter in letters for form in (letter, f" {letter}")])

    def answer(streams: list[torch.Tensor], chats: list[EncodedChat]) -> list[str]:
        return [encoder.decode([item]) for item in choose_tokens(base, streams, chats, choices)]

    return answer


def answering(
    base: Base, encoder: ChatEncoder, benchmark: Benchmark, settings: EvaluateSettings
) -> Answer:
    """How a benchmark's questions are answered: by a letter where it has letters, else in words."""
    if benchmark.letters:
        return chosen_letter(base, encoder, benchmark.letters)
    return generated(base, encoder, settings)


def answer_all(
    answer: Answer,
    sources: Sequence[TokenSource],
    encoder: ChatEncoder,
    samples: Sequence[Sample],
    prompt: Prompt,
    questions_per_batch: int,
    state: Path,
) -> dict[str, str]:
    """Answers by sample id, in table order; whole batches are kept under `state` as they come."""
    path = state / ANSWERS_NAME
    done = _whole_lines(path)
    batches = question_batches(samples, questions_per_batch)
    progress = tqdm(total=len(samples), desc="predict", unit="question", mininterval=1.0)
    with progress:
        for batch in batches:
            if any(sample.id not in done for sample in batch):
                streams = [source.read(batch[0].clip) for source in sources]
                texts = [conversation(item, prompt) for item in batch]
                chats = [encoder.encode(text, answer_last=False) for text in texts]
                ids = (item.id for item in batch)
                answers = dict(zip(ids, answer(streams, chats), strict=True))
                done.update(answers)
                append_flushed(path, sealed_line(answers))
            progress.update(len(batch))
    return {sample.id: done[sample.id] for sample in samples}


def _whole_lines(path: Path) -> dict[str, str]:
    """Answers of the lines that match their hash; one cut by a kill or damaged leaves the file,
    and its batch runs again."""
    if not path.is_file():
        return {}
    answers: dict[str, str] = {}
    text = path.read_text(encoding="utf-8", errors="replace")
    whole = ""
    for line in text[: text.rfind("\n") + 1].split("\n")[:-1]:  # an answer may hold other breaks
        if (found := open_line(line)) is not None:
            answers.update(found)
            whole += f"{line}\n"
    if whole != text:
        write_atomic(path, whole)
    return answers
