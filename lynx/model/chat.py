"""Chat text to token ids and labels in the base tokenizer's own template (method section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from lynx.chat_tokens import IMAGE_TOKEN, TURN_TOKENS
from lynx.errors import InputError
from lynx.model.families.llava_onevision import read_chat_template

IGNORED = -100
ASSISTANT_HEADER = "<|im_start|>assistant\n"
TURN_END = "<|im_end|>\n"
SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"


@dataclass(frozen=True)
class EncodedChat:
    """Ids before and after the one `<image>` token; labels belong to the ids after it."""

    prefix_ids: tuple[int, ...]
    suffix_ids: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True)
class ChatEncoder:
    """The tokenizer and template of one base folder."""

    tokenizer: PreTrainedTokenizerBase
    template: str
    image_token_id: int

    @classmethod
    def load(cls, folder: Path, image_token_id: int) -> ChatEncoder:
        """Open a base folder's tokenizer and assert that its template is Qwen2's ChatML."""
        tokenizer = AutoTokenizer.from_pretrained(folder)
        encoder = cls(tokenizer, read_chat_template(folder), image_token_id)
        found = encoder.render([("q", "a")], answer_last=True)
        user = f"<|im_start|>user\n{IMAGE_TOKEN}\nq{TURN_END}"
        expected = f"{SYSTEM}{user}{ASSISTANT_HEADER}a{TURN_END}"
        if found != expected:
            raise InputError(
                f"{folder}: the chat template renders {found!r}, expected {expected!r} "
                "(Qwen2's ChatML); restore the tokenizer's own template"
            )
        return encoder

    def render(self, turns: Sequence[tuple[str, str]], *, answer_last: bool) -> str:
        """The conversation as text; `<image>` opens the first user turn.

        Without `answer_last` the text ends with the assistant header, ready to be continued.
        """
        messages: list[dict[str, str]] = []
        for index, (question, answer) in enumerate(turns):
            content = f"{IMAGE_TOKEN}\n{question}" if index == 0 else question
            messages.append({"role": "user", "content": content})
            if answer_last or index + 1 < len(turns):
                messages.append({"role": "assistant", "content": answer})
        text = self.tokenizer.apply_chat_template(
            messages,
            chat_template=self.template,
            tokenize=False,
            add_generation_prompt=not answer_last,
        )
        assert isinstance(text, str)
        return text

    def encode(self, turns: Sequence[tuple[str, str]], *, answer_last: bool) -> EncodedChat:
        """Ids and labels: each assistant turn from its first token to `<|im_end|>` and newline.

        Raises InputError if not exactly one `<image>` survives tokenisation (a question that itself
        holds the token, say), or if a text holds a turn token, which would move the labels. Those
        of a benchmark are refused when its annotation is read.
        """
        for token in TURN_TOKENS:
            if any(token in text for turn in turns for text in turn):
                raise InputError(
                    f"question {turns[0][0][:60]!r}: {token} found in a question or answer, "
                    "expected from the chat template alone; remove it from the text that is asked"
                )
        text = self.render(turns, answer_last=answer_last)
        encoded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids: list[int] = encoded["input_ids"]
        places = [i for i, token in enumerate(ids) if token == self.image_token_id]
        if len(places) != 1:
            raise InputError(
                f"question {turns[0][0][:60]!r}: {len(places)} {IMAGE_TOKEN} tokens after "
                f"tokenisation, expected 1; remove {IMAGE_TOKEN} from the text that is asked"
            )
        supervised = self._spans(text) if answer_last else []
        labels = [
            token if any(first <= start and end <= last for first, last in supervised) else IGNORED
            for token, (start, end) in zip(ids, encoded["offset_mapping"], strict=True)
        ]
        cut = places[0]
        return EncodedChat(tuple(ids[:cut]), tuple(ids[cut + 1 :]), tuple(labels[cut + 1 :]))

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Character spans of the assistant turns, after the header through the turn's newline."""
        spans, at = [], 0
        while (header := text.find(ASSISTANT_HEADER, at)) >= 0:
            first = header + len(ASSISTANT_HEADER)
            at = text.index(TURN_END, first) + len(TURN_END)
            spans.append((first, at))
        return spans

    def single_tokens(self, texts: Sequence[str]) -> list[int]:
        """The one token id of each text; InputError if the tokenizer splits one (check 33)."""
        found = [self.tokenizer.encode(text, add_special_tokens=False) for text in texts]
        for text, ids in zip(texts, found, strict=True):
            if len(ids) != 1:
                raise InputError(
                    f"answer {text!r}: found {len(ids)} tokens, expected one because answers of "
                    "this benchmark are read from the logits of single tokens; use a base whose "
                    "tokenizer has the letters"
                )
        return [ids[0] for ids in found]

    def decode(self, ids: Sequence[int]) -> str:
        """Generated ids to text, special tokens dropped, stripped."""
        text = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        assert isinstance(text, str)
        return text.strip()
