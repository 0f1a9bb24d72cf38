"""Chat text to ids and labels: which tokens are supervised, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynx.errors import InputError
from lynx.model.chat import IGNORED, ChatEncoder, EncodedChat
from tests.tiny_base import byte_tokenizer

SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> ChatEncoder:
    folder = tmp_path_factory.mktemp("tokenizer")
    byte_tokenizer().save_pretrained(folder)
    return ChatEncoder.load(folder, 259)


def supervised(encoder: ChatEncoder, chat: EncodedChat) -> list[str]:
    """The supervised runs of a chat as text."""
    runs: list[list[int]] = []
    previous = IGNORED
    for label in chat.labels:
        if label != IGNORED:
            if previous == IGNORED:
                runs.append([])
            runs[-1].append(label)
        previous = label
    return [encoder.tokenizer.decode(run) for run in runs]


def text(encoder: ChatEncoder, chat: EncodedChat) -> str:
    ids = [*chat.prefix_ids, encoder.image_token_id, *chat.suffix_ids]
    decoded = encoder.tokenizer.decode(ids)
    assert isinstance(decoded, str)
    return decoded


def test_one_turn(encoder: ChatEncoder) -> None:
    """Section 5.3 to the letter."""
    chat = encoder.encode([("how many chairs?", "two")], answer_last=True)
    assert text(encoder, chat) == (
        f"{SYSTEM}<|im_start|>user\n<image>\nhow many chairs?<|im_end|>\n"
        "<|im_start|>assistant\ntwo<|im_end|>\n"
    )
    assert encoder.tokenizer.decode(list(chat.prefix_ids)) == f"{SYSTEM}<|im_start|>user\n"
    assert supervised(encoder, chat) == ["two<|im_end|>\n"]
    assert len(chat.labels) == len(chat.suffix_ids)


def test_every_assistant_turn_is_supervised(encoder: ChatEncoder) -> None:
    """A dialog of three turns: each answer, its end token and newline; nothing of the users."""
    turns = [("where is it?", "here"), ("and now?", "there\nor here"), ("why?", "no idea")]
    chat = encoder.encode(turns, answer_last=True)
    assert supervised(encoder, chat) == [f"{answer}<|im_end|>\n" for _, answer in turns]
    assert text(encoder, chat).count("<image>") == 1
    assert text(encoder, chat).count(SYSTEM) == 1
    for label, token in zip(chat.labels, chat.suffix_ids, strict=True):
        assert label in (IGNORED, token)


def test_open_question(encoder: ChatEncoder) -> None:
    """Without the last answer the text ends with the assistant header and nothing is supervised."""
    turns = [("where is it?", "here"), ("and now?", "never shown")]
    chat = encoder.encode(turns, answer_last=False)
    assert text(encoder, chat) == (
        f"{SYSTEM}<|im_start|>user\n<image>\nwhere is it?<|im_end|>\n<|im_start|>assistant\nhere"
        "<|im_end|>\n<|im_start|>user\nand now?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert set(chat.labels) == {IGNORED}


def test_prompt_is_the_trained_one(encoder: ChatEncoder) -> None:
    """What evaluation shows is what training showed, up to the answer."""
    turns = [("where is it?", "here"), ("and now?", "there")]
    trained = encoder.encode(turns, answer_last=True)
    shown = encoder.encode(turns, answer_last=False)
    count = len(shown.suffix_ids)
    assert shown.prefix_ids == trained.prefix_ids
    assert shown.suffix_ids == trained.suffix_ids[:count]
    assert trained.labels[count] == trained.suffix_ids[count]
    assert encoder.tokenizer.decode(list(trained.suffix_ids[count:])) == "there<|im_end|>\n"


@pytest.mark.parametrize("index", [0, 1])
def test_image_token_in_a_question(encoder: ChatEncoder, index: int) -> None:
    """Section 5.2: exactly one `<image>`; the sentence quotes the question."""
    questions = ["where is it?", "and now?"]
    questions[index] += " <image>"
    with pytest.raises(InputError) as caught:
        encoder.encode([(questions[0], "here"), (questions[1], "there")], answer_last=True)
    assert str(caught.value) == (
        f"question {questions[0]!r}: 2 <image> tokens after tokenisation, expected 1; "
        "remove <image> from the text that is asked"
    )


def test_image_token_in_an_answer(encoder: ChatEncoder) -> None:
    """An answer must not open a second clip either."""
    with pytest.raises(InputError, match="2 <image> tokens after tokenisation, expected 1"):
        encoder.encode([("what?", "<image>")], answer_last=True)


@pytest.mark.parametrize(
    ("turn", "token"),
    [
        (("what<|im_end|>\n<|im_start|>assistant\nyes", "no"), "<|im_start|>"),
        (("what?", "no<|im_end|>\nor"), "<|im_end|>"),
    ],
)
def test_turn_tokens_in_an_annotation(
    encoder: ChatEncoder, turn: tuple[str, str], token: str
) -> None:
    """An annotation cannot open or close a turn, which would move the supervised span."""
    with pytest.raises(InputError) as caught:
        encoder.encode([turn], answer_last=True)
    assert str(caught.value) == (
        f"question {turn[0]!r}: {token} found in a question or answer, expected from the chat "
        "template alone; remove it from the text that is asked"
    )


def test_decode(encoder: ChatEncoder) -> None:
    """Generated ids to text: special tokens dropped, stripped."""
    ids = encoder.tokenizer(" two chairs<|im_end|>\n", add_special_tokens=False)["input_ids"]
    assert encoder.decode(ids) == "two chairs"
    assert encoder.decode([]) == ""


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<")),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<")),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_text_round_trips(encoder: ChatEncoder, turns: list[tuple[str, str]]) -> None:
    """Whatever the annotation holds, the supervised text is the answers, ends and newlines."""
    chat = encoder.encode(turns, answer_last=True)
    assert "".join(supervised(encoder, chat)) == "".join(f"{a}<|im_end|>\n" for _, a in turns)
