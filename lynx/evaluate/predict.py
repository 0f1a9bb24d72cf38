"""Greedy answers to an evaluation split, resumable per sample (design, rule 4).

Questions are batched by clip in table order, whatever was answered before, so that a resumed run
forms the same batches and gives the same answers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from lynx.artifacts.publish import write_atomic
from lynx.benchmarks.sample import Sample
from lynx.config.stages import EvaluateSettings
from lynx.model.base import Base
from lynx.model.chat import ChatEncoder
from lynx.model.generate import generate_answers
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


def answer_all(
    base: Base,
    sources: Sequence[TokenSource],
    encoder: ChatEncoder,
    samples: Sequence[Sample],
    prompt: Prompt,
    settings: EvaluateSettings,
    state: Path,
) -> dict[str, str]:
    """Answers by sample id, in table order; whole batches are kept under `state` as they come."""
    path = state / ANSWERS_NAME
    done = _whole_lines(path)
    batches = question_batches(samples, settings.questions_per_batch)
    progress = tqdm(total=len(samples), desc="predict", unit="question", mininterval=1.0)
    with path.open("a", encoding="utf-8") as stream, progress:
        for batch in batches:
            if any(sample.id not in done for sample in batch):
                answers = _answer(base, sources, encoder, batch, prompt, settings)
                done.update(answers)
                stream.write(json.dumps(answers, ensure_ascii=False) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            progress.update(len(batch))
    return {sample.id: done[sample.id] for sample in samples}


def _answer(
    base: Base,
    sources: Sequence[TokenSource],
    encoder: ChatEncoder,
    batch: Sequence[Sample],
    prompt: Prompt,
    settings: EvaluateSettings,
) -> dict[str, str]:
    streams = [source.read(batch[0].clip) for source in sources]
    chats = [encoder.encode(conversation(item, prompt), answer_last=False) for item in batch]
    ids = generate_answers(
        base,
        streams,
        chats,
        max_new_tokens=settings.max_new_tokens,
        min_new_tokens=settings.min_new_tokens,
    )
    return {item.id: encoder.decode(row) for item, row in zip(batch, ids, strict=True)}


def _whole_lines(path: Path) -> dict[str, str]:
    """Answers of whole lines; a line cut by a kill leaves the file, and its batch runs again."""
    if not path.is_file():
        return {}
    answers: dict[str, str] = {}
    text = path.read_text(encoding="utf-8", errors="replace")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        write_atomic(path, whole)
    for line in whole.splitlines():
        answers.update(json.loads(line))
    return answers
