"""Frames to pixel tensors by the base folder's own video processor (method section 2.2).

Shape legend: F frames, H x W stored size, P the tower's image size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from transformers import LlavaOnevisionVideoProcessor

from lynx.errors import InputError
from lynx.model.families.llava_onevision import BaseInfo


@dataclass(frozen=True)
class FrameProcessor:
    """Resize to P x P (bicubic, aspect ratio not kept), rescale by 1/255, normalise to mean 0.5."""

    inner: LlavaOnevisionVideoProcessor
    image_size: int

    @classmethod
    def load(cls, info: BaseInfo) -> FrameProcessor:
        """Load the processor and assert the values that it was really given."""
        inner = LlavaOnevisionVideoProcessor.from_pretrained(info.folder)
        if list(inner.image_mean) != [0.5] * 3 or list(inner.image_std) != [0.5] * 3:
            raise InputError(
                f"{info.folder}: the video processor loads mean {inner.image_mean} and std "
                f"{inner.image_std}, expected 0.5 (SigLIP's); mend its preprocessor file"
            )
        return cls(inner, info.image_size)

    def __call__(self, frames: np.ndarray) -> torch.Tensor:
        """Frames (F, H, W, 3) uint8 to pixels (F, 3, P, P) float32."""
        video = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
        out = self.inner(videos=[video], do_sample_frames=False, return_tensors="pt")
        pixels: torch.Tensor = out["pixel_values_videos"][0]
        return pixels.to(torch.float32)
