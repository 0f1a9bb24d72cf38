"""How well the tiny base answers from colour frames alone, on scenes that it was not trained on.

Shape legend: F frames, P image side, V visual tokens, D width.
"""

from __future__ import annotations

from collections import defaultdict

import torch

from lynx.demo.base.scenes import SceneFrames
from lynx.demo.base.texts import Text, scene_texts
from lynx.media.frame_sampling import uniform_indices
from lynx.metrics.exact_match import match
from lynx.model.base import Base
from lynx.model.chat import ChatEncoder
from lynx.model.generate import generate_answers
from lynx.model.tower import clip_tokens, close_clip


@torch.no_grad()
def held_out_accuracy(
    base: Base,
    encoder: ChatEncoder,
    seed: int,
    scenes: dict[int, SceneFrames],
    frames_per_clip: int,
) -> dict[str, tuple[float, int]]:
    """EM@1 and count by need and by question kind over all questions of the given scenes."""
    right: dict[str, list[float]] = defaultdict(list)
    for index, scene in scenes.items():
        places = uniform_indices(len(scene.frames), frames_per_clip)
        frames = torch.from_numpy(scene.frames[places]).to(base.device)
        pixels = frames.permute(0, 3, 1, 2).float() / 127.5 - 1
        stream = close_clip(clip_tokens(base, pixels[None], frame_chunk=4), base.newline)[0]
        texts = scene_texts(seed, index)
        chats = [encoder.encode(_unanswered(text), answer_last=False) for text in texts]
        found = generate_answers(base, [stream], chats, max_new_tokens=16, min_new_tokens=1)
        for text, ids in zip(texts, found, strict=True):
            em = float(match(encoder.decode(ids), list(text.references)).em)
            right[f"needs {text.needs}"].append(em)
            right[f"{text.needs}: {text.kind}"].append(em)
    return {
        name: (sum(values) / len(values), len(values)) for name, values in sorted(right.items())
    }


def _unanswered(text: Text) -> list[tuple[str, str]]:
    *before, (question, _) = text.turns
    return [*before, (question, "")]
