"""Stage 1: token moments and mean keys and values of ordinary video (method section 3).

Shape legend: B clips, F frames, D language width, h heads, S patches, d head width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from lynx.align.losses import Reference
from lynx.errors import InputError
from lynx.model.base import Base
from lynx.model.families.llava_onevision import BaseInfo
from lynx.model.tower import BlockAttention, clip_tokens, close_clip

FILE_NAME = "reference.safetensors"
TENSORS = ("token_mean", "token_var", "vision_ref_k", "vision_ref_v")


@dataclass
class Moments:
    """Running count, mean and sum of squared deviations of token rows, in float64."""

    count: int
    mean: torch.Tensor
    m2: torch.Tensor

    @classmethod
    def empty(cls, width: int) -> Moments:
        """Moments of no rows."""
        zero = torch.zeros(width, dtype=torch.float64)
        return cls(0, zero, zero.clone())

    def add(self, rows: torch.Tensor) -> None:
        """Take in token rows (R, D)."""
        wide = rows.to("cpu", torch.float64)
        mean = wide.mean(dim=0)
        self.merge(Moments(len(wide), mean, ((wide - mean) ** 2).sum(dim=0)))

    def merge(self, other: Moments) -> None:
        """Take in other moments; the order of merging does not matter beyond rounding."""
        total = self.count + other.count
        delta = other.mean - self.mean
        self.mean = self.mean + delta * (other.count / total)
        self.m2 = self.m2 + other.m2 + delta**2 * (self.count * other.count / total)
        self.count = total

    @property
    def variance(self) -> torch.Tensor:
        """Population variance (D,)."""
        return self.m2 / self.count


class ReferenceBuilder:
    """Accumulates the reference over clips; weights are per frame, not per clip."""

    def __init__(self, info: BaseInfo) -> None:
        head = info.vision_width // info.vision_heads
        shape = (info.vision_blocks, info.vision_heads, info.patches, head)
        self.moments = Moments.empty(info.text_width)
        self.keys = torch.zeros(shape)
        self.values = torch.zeros(shape)
        self.frames = 0
        self.clips = 0

    def _observe(self, block: BlockAttention) -> None:
        self.keys[block.index] += block.keys.float().sum(dim=0).cpu()
        self.values[block.index] += block.values.float().sum(dim=0).cpu()

    @torch.inference_mode()
    def add(self, base: Base, pixels: torch.Tensor, *, frame_chunk: int) -> None:
        """Take in clips (B, F, 3, P, P); tokens include each clip's newline vector."""
        tokens = clip_tokens(
            base, pixels.to(base.device), frame_chunk=frame_chunk, start_chunk=lambda: self._observe
        )
        rows = close_clip(tokens, base.newline)
        self.moments.add(rows.flatten(0, 1))
        self.frames += pixels.shape[0] * pixels.shape[1]
        self.clips += pixels.shape[0]

    def merge(self, other: ReferenceBuilder) -> None:
        """Take in a shard that another process built."""
        self.moments.merge(other.moments)
        self.keys += other.keys
        self.values += other.values
        self.frames += other.frames
        self.clips += other.clips

    def tensors(self) -> dict[str, torch.Tensor]:
        """The file's tensors: moments in float32, keys and values in float16."""
        if not self.frames:
            raise InputError(
                "reference: no frames were seen; check that the training split has clips"
            )
        return {
            "token_mean": self.moments.mean.float(),
            "token_var": self.moments.variance.float(),
            "vision_ref_k": (self.keys / self.frames).half(),
            "vision_ref_v": (self.values / self.frames).half(),
        }

    def save(self, folder: Path) -> None:
        """Write `reference.safetensors`."""
        save_file(self.tensors(), folder / FILE_NAME)


@dataclass(frozen=True)
class Counted:
    """A reference and what it was taken from: token rows (R) and frames."""

    reference: Reference
    rows: int
    frames: int


def pool(parts: Sequence[Counted]) -> Reference:
    """One reference of all the clips that several were taken from; one alone stays as it is.

    Moments are merged as shards are, by token rows; keys and values are weighed by frames, and
    float16 as they are stored.
    """
    if len(parts) == 1:
        return parts[0].reference
    first = parts[0].reference
    moments, frames = Moments.empty(len(first.token_mean)), sum(part.frames for part in parts)
    keys, values = torch.zeros_like(first.keys.float()), torch.zeros_like(first.values.float())
    for part in parts:
        variance = part.reference.token_var.cpu().double()
        moments.merge(
            Moments(part.rows, part.reference.token_mean.cpu().double(), variance * part.rows)
        )
        keys += part.reference.keys.float() * (part.frames / frames)
        values += part.reference.values.float() * (part.frames / frames)
    device = first.token_mean.device
    return Reference(
        token_mean=moments.mean.float().to(device),
        token_var=moments.variance.float().to(device),
        keys=keys.half(),
        values=values.half(),
    )


def load_reference(folder: Path, info: BaseInfo, device: torch.device) -> Reference:
    """Read a reference and check that it is whole and that its shapes are those of the base."""
    path = folder / FILE_NAME
    try:
        tensors = load_file(path, device=str(device))
    except (FileNotFoundError, SafetensorError) as error:
        raise InputError(f"{path}: not readable ({error}); run the reference rule again") from error
    for name in TENSORS:
        if name not in tensors:
            raise InputError(
                f"{path}: no tensor {name}, expected {', '.join(TENSORS)}; "
                "run the reference rule again"
            )
    head = info.vision_width // info.vision_heads
    expected = (info.vision_blocks, info.vision_heads, info.patches, head)
    if tuple(tensors["vision_ref_k"].shape) != expected:
        raise InputError(
            f"{path}: keys of shape {tuple(tensors['vision_ref_k'].shape)}, expected {expected} "
            f"for {info.folder}; the reference is of another base, so run its rule again"
        )
    if (width := tensors["token_mean"].shape[0]) != info.text_width:
        raise InputError(
            f"{path}: token moments of width {width}, expected {info.text_width} for "
            f"{info.folder}; the reference is of another base, so run its rule again"
        )
    return Reference(
        token_mean=tensors["token_mean"],
        token_var=tensors["token_var"],
        keys=tensors["vision_ref_k"],
        values=tensors["vision_ref_v"],
    )
