"""Streams by transformers' own `get_video_features`, one frame at a time.

Shape legend: T tokens per frame, V tokens of a stream, D language model width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks.workbench import STREAMS, Workbench
from lynx.config.files import Stream
from lynx.features.clips import video_pixels, x_pixels
from lynx.model.adapters import adapter_switched
from lynx.model.base import Base
from lynx.model.pixels import FrameProcessor


@dataclass(frozen=True)
class PlainEncoder:
    """Encodes a clip's frames in batches of one; the base carries its vision adapter."""

    bench: Workbench
    base: Base
    processor: FrameProcessor

    @torch.no_grad()
    def encode(self, clip: str, stream: Stream) -> torch.Tensor:
        """Tokens (V, D) of a clip, newline last."""
        view = self.bench.recipe.sft.view
        opened = self.bench.shelf.open(clip)
        places = opened.choose(view.frames, view.sampling)
        if stream == "video":
            frames = video_pixels(self.processor, opened, places)
        else:
            frames = x_pixels(self.processor, opened, places, view.drawing)
        with adapter_switched(self.base, "vision", on=stream == "aligned"):
            tokens = torch.stack([self._frame(frame) for frame in frames])
        if stream != "video" and view.merge_pairs:
            tokens = (tokens[0::2] + tokens[1::2]) / 2
        return torch.cat([tokens.flatten(0, 1), self.base.newline[None]])

    def _frame(self, frame: torch.Tensor) -> torch.Tensor:
        """Tokens (T, D) of one frame (3, P, P); the library appends a newline to every call."""
        tokens: torch.Tensor = self.base.model.model.get_video_features(
            frame[None, None]
        ).pooler_output
        return tokens[0, :-1]

    def streams(self, clip: str) -> list[torch.Tensor]:
        """Video and X of a clip."""
        return [self.encode(clip, stream) for stream in STREAMS]


def open_encoder(bench: Workbench, base: Base) -> PlainEncoder:
    """The plain encoder of a whole base."""
    return PlainEncoder(bench, base, base.processor())


def features(bench: Workbench) -> Callable[[], list[torch.Tensor]]:
    """Both streams (V, D) of every clip."""
    encoder = open_encoder(bench, bench.load(["tower", "language"], vision=True))
    return lambda: [tokens for clip in bench.clips for tokens in encoder.streams(clip)]
