"""One clip's token stream, by the same code whether it is stored or streamed.

Shape legend: F frames, K pseudo-frames per map, T tokens per frame, D language model width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from lynx.config.files import Stream
from lynx.config.stages import ViewSettings
from lynx.features.clips import video_pixels, x_pixels
from lynx.media.shelf import Shelf
from lynx.model.adapters import adapter_switched
from lynx.model.base import Base
from lynx.model.pixels import FrameProcessor
from lynx.model.tower import clip_tokens, close_clip, merge_pairs, pool_frames


@dataclass(frozen=True)
class StreamEncoder:
    """Encodes one stream of clips: `video`, or X with the vision adapter on or off."""

    base: Base
    processor: FrameProcessor
    shelf: Shelf
    stream: Stream
    view: ViewSettings
    frame_chunk: int

    @torch.no_grad()
    def encode(self, clip: str) -> torch.Tensor:
        """Tokens Z (F*T + 1, D) of a clip, on the CPU in the base's dtype, newline last."""
        return self.tokens(self.pixels(clip)).cpu()

    def pixels(self, clip: str) -> torch.Tensor:
        """What the tower is shown of a clip (K, 3, P, P); the base is not touched."""
        opened = self.shelf.open(clip)
        places = opened.choose(self.view.frames, self.view.sampling)
        if self.stream == "video":
            return video_pixels(self.processor, opened, places)
        return x_pixels(self.processor, opened, places, self.view.drawing)

    def tokens(self, pixels: torch.Tensor) -> torch.Tensor:
        """Tokens Z (F*T + 1, D) of a clip's pixels, on the base's device.

        They carry the gradient of a vision adapter that is being trained.
        """
        with adapter_switched(self.base, "vision", on=self.stream == "aligned"):
            batch = pixels[None].to(self.base.device)
            tokens = clip_tokens(self.base, batch, frame_chunk=self.frame_chunk)
        if self.stream != "video" and self.view.merge_pairs:
            tokens = merge_pairs(tokens)
        if self.stream != "video" and self.view.pool_x:
            tokens = pool_frames(tokens)
        return close_clip(tokens, self.base.newline)[0]
