"""Several questions behind one visual prefix equal a sequence each.

Shape legend: L positions, D language width, V visual tokens.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lynx.model.adapters import adapter_parameters, set_trainable
from lynx.model.base import Base
from lynx.model.chat import IGNORED, ChatEncoder, EncodedChat
from lynx.model.sequence import (
    PADDING_SEGMENT,
    answer_loss,
    collate,
    language_logits,
    pack_clip,
    shared_length,
    visible,
)
from tests.tiny_model import open_base, random_adapter, random_pixels

TURNS = (
    (("how many chairs are there?", "two"),),
    (("where is the lamp?", "left of the door"), ("and the desk?", "behind it")),
    (("is it on?", "no"),),
)
OTHER = ((("what is it?", "a cat"),),)


@pytest.fixture(scope="module")
def base(tiny_base: Path) -> Base:
    base = open_base(tiny_base, ["language"])
    random_adapter(base, "language")
    return base


@pytest.fixture(scope="module")
def chats(tiny_base: Path) -> list[EncodedChat]:
    encoder = ChatEncoder.load(tiny_base, 259)
    return [encoder.encode(turns, answer_last=True) for turns in TURNS]


@pytest.fixture(scope="module")
def streams() -> list[torch.Tensor]:
    return [random_pixels(46, 48), random_pixels(28, 48, seed=8)]


def separate_logits(
    base: Base, streams: list[torch.Tensor], chats: list[EncodedChat]
) -> list[torch.Tensor]:
    """Logits at each chat's supervised positions, each in a sequence of its own."""
    with torch.no_grad():
        return [
            language_logits(
                base.language, base.head, collate([pack_clip(base.embedding, streams, [chat])])
            )
            for chat in chats
        ]


def test_packed_equals_separate(
    base: Base, streams: list[torch.Tensor], chats: list[EncodedChat]
) -> None:
    """Every question has exactly the logits that it has in a sequence of its own (1e-5)."""
    packed = collate([pack_clip(base.embedding, streams, chats)])
    with torch.no_grad():
        found = language_logits(base.language, base.head, packed)
    expected = torch.cat(separate_logits(base, streams, chats))
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_packed_loss_and_gradients(
    tiny_base: Path, streams: list[torch.Tensor], chats: list[EncodedChat]
) -> None:
    """Token-mean loss of a packed clip and its gradients equal those of the unpacked batch."""
    base = open_base(tiny_base, ["language"])
    random_adapter(base, "language")
    set_trainable(base, "language")
    parameters = adapter_parameters(base, "language")
    outcomes = []
    for clips in ([chats], [[chat] for chat in chats]):
        for parameter in parameters.values():
            parameter.grad = None
        batch = collate([pack_clip(base.embedding, streams, part) for part in clips])
        loss = answer_loss(base.language, base.head, batch)
        loss.backward()
        outcomes.append((loss.detach(), {name: p.grad for name, p in parameters.items()}))
    (packed, ours), (separate, theirs) = outcomes
    torch.testing.assert_close(packed, separate, atol=1e-5, rtol=0)
    assert len(ours) == 28
    for name, gradient in ours.items():
        assert gradient is not None
        assert float(gradient.abs().max()) > 0, name
        torch.testing.assert_close(gradient, theirs[name], atol=1e-5, rtol=1e-3)


def test_padding_changes_nothing(
    base: Base, streams: list[torch.Tensor], chats: list[EncodedChat], tiny_base: Path
) -> None:
    """A short clip beside a long one has its own logits, and they stay finite."""
    encoder = ChatEncoder.load(tiny_base, 259)
    short = [encoder.encode(turns, answer_last=True) for turns in OTHER]
    few = [random_pixels(10, 48, seed=5), random_pixels(10, 48, seed=6)]
    clips = [
        pack_clip(base.embedding, streams, chats),
        pack_clip(base.embedding, few, short),
    ]
    batch = collate(clips)
    lengths = [len(clip.segments) for clip in clips]
    assert lengths[1] < lengths[0] == batch.embeddings.shape[1]
    assert not bool(batch.embeddings[1, lengths[1] :].any())
    assert set(batch.labels[1, lengths[1] :].tolist()) == {IGNORED}
    with torch.no_grad():
        found = language_logits(base.language, base.head, batch)
    expected = separate_logits(base, streams, chats) + separate_logits(base, few, short)
    assert bool(found.isfinite().all())
    torch.testing.assert_close(found, torch.cat(expected), atol=1e-5, rtol=0)


def test_questions_do_not_see_each_other(
    base: Base, streams: list[torch.Tensor], chats: list[EncodedChat]
) -> None:
    """Changing one question leaves the others' logits bit-equal."""
    clip = pack_clip(base.embedding, streams, chats)
    changed = clip.embeddings.clone()
    changed[clip.segments == 2] += 1.0
    other = type(clip)(changed, clip.segments, clip.positions, clip.labels)
    with torch.no_grad():
        one, two = (
            language_logits(base.language, base.head, collate([item])) for item in (clip, other)
        )
    owner = clip.segments[1:][clip.labels[1:] != IGNORED]
    assert torch.equal(one[owner != 2], two[owner != 2])
    assert not torch.allclose(one[owner == 2], two[owner == 2])


def test_layout(base: Base, streams: list[torch.Tensor], chats: list[EncodedChat]) -> None:
    """Positions of every suffix go on from the prefix; labels stand on suffixes alone."""
    clip = pack_clip(base.embedding, streams, chats)
    same = shared_length(chats)
    assert same == 1  # the line break after the image
    start = len(chats[0].prefix_ids) + 46 + 28 + same
    assert clip.positions[:start].tolist() == list(range(start))
    assert set(clip.labels[:start].tolist()) == {IGNORED}
    for index, chat in enumerate(chats):
        mine, own = clip.segments == index + 1, len(chat.suffix_ids) - same
        assert clip.positions[mine].tolist() == list(range(start, start + own))
        assert clip.labels[mine].tolist() == list(chat.labels[same:])


def test_an_instruction_is_read_once_for_all_questions(
    base: Base, tiny_base: Path, streams: list[torch.Tensor]
) -> None:
    """Questions that begin alike have the logits of sequences of their own in a shorter row."""
    encoder = ChatEncoder.load(tiny_base, 259)
    asked = [f"Answer in one word.\n{text}" for text in ("how many?", "how old?", "is it on?")]
    chats = [encoder.encode(((text, "two"),), answer_last=True) for text in asked]
    same, clip = shared_length(chats), pack_clip(base.embedding, streams, chats)
    assert same == len("\nAnswer in one word.\n")  # the tiny tokenizer reads letters
    lengths = [len(chat.suffix_ids) for chat in chats]
    whole = len(chats[0].prefix_ids) + 46 + 28 + sum(lengths)
    assert clip.positions.shape[0] == whole - 2 * same
    with torch.no_grad():
        found = language_logits(base.language, base.head, collate([clip]))
    expected = torch.cat(separate_logits(base, streams, chats))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("suffixes", "labels", "shared"),
    [
        (((1, 2, 3, 4), (1, 2, 3, 5)), ((0, 0, 0, 4), (0, 0, 0, 5)), 2),  # 3 predicts the answer
        (((1, 2, 3), (1, 2, 3)), ((0, 0, 0), (0, 0, 0)), 2),  # the last token asks
        (((1, 2, 3, 4), (1, 2, 3, 4)), ((0, 0, 3, 4), (0, 0, 0, 4)), 1),  # one has turns before
        (((1, 2), (3, 2)), ((0, 0), (0, 0)), 0),
        (((1, 2),), ((1, 2),), 0),
    ],
)
def test_what_questions_share(
    suffixes: tuple[tuple[int, ...], ...], labels: tuple[tuple[int, ...], ...], shared: int
) -> None:
    marked = [tuple(item or IGNORED for item in row) for row in labels]
    chats = [EncodedChat((9,), *pair) for pair in zip(suffixes, marked, strict=True)]
    assert shared_length(chats) == shared


def test_first_token_of_a_suffix_is_never_supervised(chats: list[EncodedChat]) -> None:
    """Labels shift along the packed row, so a suffix's first would be asked of another's last."""
    assert all(chat.labels[0] == IGNORED for chat in chats)


def test_chats_of_another_prefix_are_refused(
    base: Base, streams: list[torch.Tensor], chats: list[EncodedChat]
) -> None:
    """One prefix serves all questions, so it must be the same text."""
    odd = EncodedChat((1, 2), chats[0].suffix_ids, chats[0].labels)
    with pytest.raises(ValueError, match=r"^chats of one clip must share the text before <image>$"):
        pack_clip(base.embedding, streams, [chats[0], odd])


@given(
    prefix=st.integers(1, 5),
    questions=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    padding=st.integers(0, 3),
)
def test_visible_positions(prefix: int, questions: list[int], padding: int) -> None:
    """Causal; prefix and own question only; padding sees padding only, and no row is empty."""
    row = [0] * prefix
    for index, count in enumerate(questions):
        row += [index + 1] * count
    row += [PADDING_SEGMENT] * padding
    mask = visible(torch.tensor([row]))
    assert mask.shape == (1, 1, len(row), len(row))
    for i, here in enumerate(row):
        for j, there in enumerate(row):
            expected = j <= i and (here == there or (there == 0 and here > 0))
            assert bool(mask[0, 0, i, j]) is expected
        assert bool(mask[0, 0, i, i])
