"""One clip's token stream, by the same code whether it is stored or streamed.

Shape legend: F frames, K pseudo-frames per map, T tokens per frame, D language model width.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from lynx.config.slices import Stream
from lynx.config.stages import ViewSettings
from lynx.features.clips import ClipView
from lynx.model.adapters import adapter_switched
from lynx.model.base import Base
from lynx.model.pixels import FrameProcessor
from lynx.model.tower import clip_tokens, close_clip, merge_pairs, pool_frames


@dataclass(frozen=True)
class StreamEncoder:
    """Encodes one stream of clips: `video`, or X with the vision adapter on or off."""

    base: Base
    processor: FrameProcessor
    frames_root: Path
    stream: Stream
    view: ViewSettings
    frame_chunk: int

    @torch.no_grad()
    def encode(self, clip: str) -> torch.Tensor:
        """Tokens Z (F*T + 1, D) of a clip, on the CPU in the base's dtype, newline last."""
        shown = ClipView.open(self.frames_root, clip, self.view)
        frames = shown.video() if self.stream == "video" else shown.x()
        pixels = self.processor(frames).to(self.base.device)
        with adapter_switched(self.base, "vision", on=self.stream == "aligned"):
            tokens = clip_tokens(self.base, pixels[None], frame_chunk=self.frame_chunk)
        if self.stream != "video" and self.view.merge_pairs:
            tokens = merge_pairs(tokens)
        if self.stream != "video" and self.view.pool_x:
            tokens = pool_frames(tokens)
        return close_clip(tokens, self.base.newline)[0].cpu()
