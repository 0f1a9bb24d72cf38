"""Stage 3 and prediction, one question at a time, both streams encoded again for each question.

Shape legend: L positions of one sequence, V tokens of a stream, D language model width.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from benchmarks.plain.encode import PlainEncoder, open_encoder
from benchmarks.plain.training import train_anew
from benchmarks.workbench import SEED, Workbench, random_adapter
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scanqa import prompt
from lynx.model.adapters import adapter_parameters, add_adapter, set_trainable
from lynx.model.chat import IGNORED, EncodedChat
from lynx.sft.dataset import ClipQuestions, conversation, group_by_clip
from lynx.training.plan import make_plan


def sequence(encoder: PlainEncoder, clip: str, chat: EncodedChat) -> torch.Tensor:
    """[prefix, Z_v, Z_x, suffix] (1, L, D) of one question, the tower run for it."""
    embedding = encoder.base.embedding
    prefix, suffix = (embedding(torch.tensor(ids)) for ids in (chat.prefix_ids, chat.suffix_ids))
    return torch.cat([prefix, *encoder.streams(clip), suffix])[None]


def sft(bench: Workbench) -> Callable[[], list[float]]:
    """One epoch of stage 3; the loss of every step, the token mean over its micro-batches."""
    base, settings = bench.load(["tower", "language"], vision=True), bench.recipe.sft
    add_adapter(base, "language", settings.lora, seed=SEED)
    set_trainable(base, "language")
    encoder, chats = open_encoder(bench, base), bench.chat_encoder(base)

    def question_loss(clip: str, chat: EncodedChat) -> torch.Tensor:
        logits = base.model(inputs_embeds=sequence(encoder, clip, chat), use_cache=False).logits[0]
        labels = torch.tensor(chat.labels)
        found = logits[-len(labels) - 1 : -1]
        return F.cross_entropy(found, labels, ignore_index=IGNORED, reduction="sum")

    def backward(groups: list[ClipQuestions]) -> float:
        pairs = [
            (group.clip, chats.encode(turns, answer_last=True))
            for group in groups
            for turns in group.conversations
        ]
        tokens = sum(label != IGNORED for _, chat in pairs for label in chat.labels)
        total = 0.0
        for clip, chat in pairs:
            loss = question_loss(clip, chat) / tokens
            loss.backward()
            total += float(loss.detach())
        return total

    groups = group_by_clip(bench.samples, prompt, settings.questions_per_clip)
    plan = make_plan(groups, settings.optimizer, per_item=settings.questions_per_clip, seed=SEED)
    parameters = adapter_parameters(base, "language")
    return lambda: train_anew(parameters, settings.optimizer, plan, backward)


def predict(bench: Workbench) -> Callable[[], dict[str, str]]:
    """Answers by sample id from the library's `generate`, one call per question."""
    base, settings = bench.load(["tower", "language"], vision=True), bench.recipe.evaluate
    random_adapter(base, "language", bench.recipe.sft.lora)
    encoder, chats = open_encoder(bench, base), bench.chat_encoder(base)

    @torch.inference_mode()
    def answer(sample: Sample) -> str:
        chat = chats.encode(conversation(sample, prompt), answer_last=False)
        embeddings = sequence(encoder, sample.clip, chat)
        ids = base.model.generate(  # type: ignore[misc]  # its self is a protocol of many mixins
            inputs_embeds=embeddings,
            attention_mask=torch.ones(embeddings.shape[:2], dtype=torch.long),
            do_sample=False,
            max_new_tokens=settings.max_new_tokens,
            min_new_tokens=settings.min_new_tokens,
            eos_token_id=base.info.end_token_id,
            pad_token_id=base.info.end_token_id,
        )
        return chats.decode(ids[0].tolist())

    return lambda: {sample.id: answer(sample) for sample in bench.samples}
