"""Method section 10, checks 30 to 32 and 36 (greedy decoding): text and streams to tokens.

Shape legend: B clips, L positions, V tokens of a stream, D language width.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from lynx.model.base import Base
from lynx.model.chat import IGNORED, ChatEncoder, EncodedChat
from lynx.model.generate import generate_answers
from lynx.model.sequence import answer_loss, collate, language_logits, pack_clip
from tests.tiny_model import encode, native, open_base, random_adapter, random_pixels

QUESTIONS = (
    ("how many chairs?", "two"),
    ("what is left of the brown table by the door?", "a tall lamp and a plant"),
    ("is it on?", "no"),
)


@pytest.fixture(scope="module")
def base(tiny_base: Path) -> Base:
    base = open_base(tiny_base)
    random_adapter(base, "vision")
    random_adapter(base, "language")
    return base


@pytest.fixture(scope="module")
def chat_encoder(base: Base) -> ChatEncoder:
    return ChatEncoder.load(base.info.folder, base.info.image_token_id)


@pytest.fixture(scope="module")
def streams(base: Base) -> list[torch.Tensor]:
    """Z_v of 5 frames and Z_x of 3 (V, D)."""
    video, x = random_pixels(1, 5, 3, 42, 42), random_pixels(1, 3, 3, 42, 42, seed=9)
    return [encode(base, video, on=False)[0], encode(base, x, on=True)[0]]


def sequence_of(base: Base, streams: Sequence[torch.Tensor], chat: EncodedChat) -> torch.Tensor:
    """[prefix, Z_v, Z_x, suffix] (1, L, D), written out."""
    prefix = base.embedding(torch.tensor(chat.prefix_ids))
    return torch.cat([prefix, *streams, base.embedding(torch.tensor(chat.suffix_ids))])[None]


def library_logits(base: Base, streams: Sequence[torch.Tensor], chat: EncodedChat) -> torch.Tensor:
    """Logits (L, vocabulary) of one sample alone, by the library's own forward pass."""
    with torch.no_grad():
        logits: torch.Tensor = base.model(inputs_embeds=sequence_of(base, streams, chat)).logits[0]
    return logits


def token_losses(base: Base, streams: list[torch.Tensor], chat: EncodedChat) -> torch.Tensor:
    """Cross-entropy of each supervised token of one sample alone."""
    logits = library_logits(base, streams, chat)[-len(chat.suffix_ids) - 1 : -1]
    labels = torch.tensor(chat.labels)
    return F.cross_entropy(logits[labels != IGNORED], labels[labels != IGNORED], reduction="none")


def test_sequence_length(
    base: Base, chat_encoder: ChatEncoder, streams: list[torch.Tensor]
) -> None:
    """Check 30: length = text - 1 + (T F_v + 1) + (T F_x + 1), in the order of section 5.2."""
    for turn in QUESTIONS:
        chat = chat_encoder.encode([turn], answer_last=True)
        text = chat_encoder.render([turn], answer_last=True)
        count = len(chat_encoder.tokenizer(text, add_special_tokens=False)["input_ids"])
        packed = pack_clip(base.embedding, streams, [chat])
        assert packed.embeddings.shape == (count - 1 + (9 * 5 + 1) + (9 * 3 + 1), 48)
        assert torch.equal(packed.embeddings, sequence_of(base, streams, chat)[0])
        assert packed.positions.tolist() == list(range(len(packed.embeddings)))
        start = len(chat.prefix_ids)
        assert torch.equal(packed.embeddings[start + 45], base.newline)
        assert torch.equal(packed.embeddings[start + 46 + 27], base.newline)


def test_loss_is_the_token_mean(
    base: Base, chat_encoder: ChatEncoder, streams: list[torch.Tensor]
) -> None:
    """Check 30: cross-entropy over all supervised tokens of the batch, not per-sample means."""
    chats = [chat_encoder.encode([turn], answer_last=True) for turn in QUESTIONS]
    batch = collate([pack_clip(base.embedding, streams, [chat]) for chat in chats])
    with torch.no_grad():
        loss = float(answer_loss(base.language, base.head, batch))
    each = [token_losses(base, streams, chat) for chat in chats]
    assert [len(item) for item in each] == [len(answer) + 2 for _, answer in QUESTIONS]
    assert loss == pytest.approx(float(torch.cat(each).mean()), abs=1e-5)
    per_sample = float(torch.stack([item.mean() for item in each]).mean())
    assert abs(loss - per_sample) > 1e-3


def test_supervised_span(chat_encoder: ChatEncoder) -> None:
    """Check 31: the span starts right after the assistant header: answer, end token, newline."""
    for question, answer in QUESTIONS:
        chat = chat_encoder.encode([(question, answer)], answer_last=True)
        supervised = [i for i, label in enumerate(chat.labels) if label != IGNORED]
        first, last = supervised[0], supervised[-1]
        assert supervised == list(range(first, last + 1))
        assert last == len(chat.suffix_ids) - 1
        assert [chat.labels[i] for i in supervised] == list(chat.suffix_ids[first:])
        decode = chat_encoder.tokenizer.decode
        assert decode(list(chat.suffix_ids[first:])) == f"{answer}<|im_end|>\n"
        assert decode(list(chat.suffix_ids[:first])).endswith("<|im_start|>assistant\n")
        assert chat.suffix_ids[-2] == chat_encoder.tokenizer.convert_tokens_to_ids("<|im_end|>")


def test_right_padding_leaves_logits(
    base: Base, chat_encoder: ChatEncoder, streams: list[torch.Tensor]
) -> None:
    """Check 32: in a training batch each sample has the logits it has alone (1e-4)."""
    chats = [chat_encoder.encode([turn], answer_last=True) for turn in QUESTIONS]
    batch = collate([pack_clip(base.embedding, streams, [chat]) for chat in chats])
    assert len({len(chat.suffix_ids) for chat in chats}) == 3  # or nothing is padded
    with torch.no_grad():
        found = language_logits(base.language, base.head, batch)
    expected = []
    for chat in chats:
        labels = torch.tensor(chat.labels) != IGNORED
        expected.append(library_logits(base, streams, chat)[-len(labels) - 1 : -1][labels])
    torch.testing.assert_close(found, torch.cat(expected), atol=1e-4, rtol=0)


def test_left_padding_leaves_logits(
    base: Base, chat_encoder: ChatEncoder, streams: list[torch.Tensor]
) -> None:
    """Check 32: in an evaluation batch the next-token logits are those of a prompt alone (1e-4)."""
    chats = [chat_encoder.encode([turn], answer_last=False) for turn in QUESTIONS]
    seen: list[torch.Tensor] = []
    handle = base.head.register_forward_hook(lambda *call: seen.append(call[2].clone()))
    try:
        generate_answers(base, streams, chats, max_new_tokens=1, min_new_tokens=0)
    finally:
        handle.remove()
    expected = torch.stack([library_logits(base, streams, chat)[-1] for chat in chats])
    assert len(seen) == 1
    torch.testing.assert_close(seen[0], expected, atol=1e-4, rtol=0)


def library_answer(
    base: Base, streams: list[torch.Tensor], chat: EncodedChat, *, new: int, least: int
) -> list[int]:
    """The library's own greedy `generate` for one prompt alone, end token dropped."""
    embeddings = sequence_of(base, streams, chat)
    end = base.info.end_token_id
    ids = base.model.generate(
        inputs_embeds=embeddings,
        attention_mask=torch.ones(embeddings.shape[:2], dtype=torch.long),
        do_sample=False,
        max_new_tokens=new,
        min_new_tokens=least,
        eos_token_id=end,
        pad_token_id=end,
    )[0].tolist()
    return ids[: ids.index(end)] if end in ids else ids


def test_greedy_decode_is_library_generate(
    base: Base, chat_encoder: ChatEncoder, streams: list[torch.Tensor]
) -> None:
    """Check 36: 16 tokens for three questions in one batch equal `generate` for each alone."""
    chats = [chat_encoder.encode([turn], answer_last=False) for turn in QUESTIONS]
    found = generate_answers(base, streams, chats, max_new_tokens=16, min_new_tokens=0)
    assert found == [library_answer(base, streams, chat, new=16, least=0) for chat in chats]
    assert [len(ids) for ids in found] == [16, 16, 16]


@pytest.mark.parametrize("least", [0, 1, 5])
def test_greedy_decode_stops_as_the_library_does(
    base: Base, chat_encoder: ChatEncoder, streams: list[torch.Tensor], least: int
) -> None:
    """Check 36: rows that end at different steps, and end tokens forbidden by `min_new_tokens`."""
    chats = [chat_encoder.encode([turn], answer_last=False) for turn in QUESTIONS]
    free = generate_answers(base, streams, chats, max_new_tokens=12, min_new_tokens=0)
    lengths = set()
    for end in sorted({token for ids in free for token in ids}):
        # A token that the tiny model does say stands in for <|im_end|>, which it never says.
        ending = dataclasses.replace(base, info=dataclasses.replace(base.info, end_token_id=end))
        found = generate_answers(ending, streams, chats, max_new_tokens=12, min_new_tokens=least)
        assert found == [
            library_answer(ending, streams, chat, new=12, least=least) for chat in chats
        ]
        lengths.add(tuple(len(ids) for ids in found))
    assert any(len(set(item)) > 1 for item in lengths)  # some row ended before another
    assert all(min(item) >= least for item in lengths)


def test_video_alone_is_the_library_video_prompt(
    tiny_base: Path, chat_encoder: ChatEncoder
) -> None:
    """Check 36: with Z_v alone (zero-shot) the answer is the library's for its own video prompt."""
    base, model = open_base(tiny_base), native(tiny_base)
    pixels = random_pixels(1, 5, 3, 42, 42)
    video = encode(base, pixels, on=False)[0]
    chats = [chat_encoder.encode([turn], answer_last=False) for turn in QUESTIONS]
    found = generate_answers(base, [video], chats, max_new_tokens=12, min_new_tokens=0)
    slots = [model.config.video_token_id] * (9 * 5 + 1)
    for chat, ids in zip(chats, found, strict=True):
        prompt = torch.tensor([[*chat.prefix_ids, *slots, *chat.suffix_ids]])
        out = model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            pixel_values_videos=pixels,
            do_sample=False,
            max_new_tokens=12,
            pad_token_id=base.info.end_token_id,
        )
        assert ids == out[0, prompt.shape[1] :].tolist()
