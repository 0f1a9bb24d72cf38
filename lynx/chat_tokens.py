"""The tokens that give a chat its shape, which nothing that is asked or answered may hold.

They are those of the one template that a base may have (`lynx.model.chat`): the place where the
frames stand, and the bounds of a turn. Within a question or an answer they would be read as such.
"""

from __future__ import annotations

from collections.abc import Iterable

IMAGE_TOKEN = "<image>"
TURN_TOKENS = ("<|im_start|>", "<|im_end|>")


def chat_token_in(texts: Iterable[str]) -> str | None:
    """The first such token in any of the texts, or None."""
    return next(
        (token for text in texts for token in (IMAGE_TOKEN, *TURN_TOKENS) if token in text), None
    )
