"""Method section 10, check 33: answers of AVQA are the likeliest of 8 single tokens.

Shape legend: V tokens of a stream, D language width.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from lynx.demo.base.tokenizer import train_tokenizer
from lynx.errors import InputError
from lynx.evaluate.predict import chosen_letter
from lynx.model.base import Base
from lynx.model.chat import ChatEncoder
from lynx.model.generate import choose_tokens
from tests.parity.test_sequence import QUESTIONS, library_logits
from tests.tiny_model import encode, open_base, random_adapter, random_pixels

LETTERS = ("A", "B", "C", "D")


class Shifted(nn.Module):
    """A head whose logits are all higher by a constant."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(hidden)
        return logits + 3.75


@pytest.fixture(scope="module")
def base(tiny_base: Path) -> Base:
    base = open_base(tiny_base)
    random_adapter(base, "language")
    return base


@pytest.fixture(scope="module")
def chat_encoder(base: Base) -> ChatEncoder:
    return ChatEncoder.load(base.info.folder, base.info.image_token_id)


@pytest.fixture(scope="module")
def streams(base: Base) -> list[torch.Tensor]:
    """Z_v of 5 frames (V, D)."""
    return [encode(base, random_pixels(1, 5, 3, 42, 42), on=False)[0]]


def test_the_choice_is_the_highest_of_the_library_logits(
    base: Base, chat_encoder: ChatEncoder, streams: list[torch.Tensor]
) -> None:
    chats = [chat_encoder.encode([turn], answer_last=False) for turn in QUESTIONS]
    logits = torch.stack([library_logits(base, streams, chat)[-1] for chat in chats])
    found_at_all = set()
    for first in range(0, 240, 8):  # 30 sets of 8 tokens, so that no one token wins them all
        choices = list(range(first, first + 8))
        best = [choices[row.argmax()] for row in logits[:, choices]]
        assert choose_tokens(base, streams, chats, choices) == best
        found_at_all |= set(best)
    assert len(found_at_all) > 30


def test_a_constant_on_all_logits_changes_nothing(
    base: Base,
    chat_encoder: ChatEncoder,
    streams: list[torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chats = [chat_encoder.encode([turn], answer_last=False) for turn in QUESTIONS]
    choices = list(range(60, 68))
    before = choose_tokens(base, streams, chats, choices)
    monkeypatch.setattr(base.model, "lm_head", Shifted(base.head))
    assert choose_tokens(base, streams, chats, choices) == before


def test_four_letters_are_eight_single_tokens() -> None:
    tokenizer = train_tokenizer(2606)
    encoder = ChatEncoder(tokenizer, str(tokenizer.chat_template), image_token_id=0)
    forms = [form for letter in LETTERS for form in (letter, f" {letter}")]
    ids = encoder.single_tokens(forms)
    assert len(set(ids)) == 8
    assert [encoder.decode([token]) for token in ids] == [x for x in LETTERS for _ in range(2)]


def test_a_tokenizer_that_splits_a_letter_is_refused(base: Base, chat_encoder: ChatEncoder) -> None:
    with pytest.raises(InputError) as caught:
        chosen_letter(base, chat_encoder, LETTERS)  # its tokens are bytes: " A" is two of them
    assert str(caught.value) == (
        "answer ' A': found 2 tokens, expected one because answers of this benchmark are read from "
        "the logits of single tokens; use a base whose tokenizer has the letters"
    )
