"""Method section 10, checks 1 to 5 and 29: frames to tokens against the library's video path."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import LlavaOnevisionForConditionalGeneration

from lynx.config.stages import LoraSettings
from lynx.model.adapters import (
    adapter_parameters,
    adapter_switched,
    add_adapter,
    lora_layers,
    set_trainable,
)
from lynx.model.base import Base
from lynx.model.families.llava_onevision import BaseInfo
from lynx.model.tower import clip_tokens, close_clip, merge_pairs, pool_frames, pool_grid
from tests.tiny_base import tiny_config, write_tiny_base
from tests.tiny_model import (
    CPU,
    encode,
    native,
    open_base,
    random_adapter,
    random_pixels,
    randomise_adapter,
)

LORA = LoraSettings(rank=4, alpha=8, dropout=0.0)


def library_tokens(
    model: LlavaOnevisionForConditionalGeneration, pixels: torch.Tensor
) -> torch.Tensor:
    with torch.no_grad():
        tokens: torch.Tensor = model.get_video_features(pixels).pooler_output
    return tokens


def test_tokens_equal_the_library(tiny_base: Path) -> None:
    """Check 1: (2, 5, 3, 42, 42) gives (2, 5 * 9 + 1, 48), difference 0 to the native path."""
    pixels = random_pixels(2, 5, 3, 42, 42)
    ours = encode(open_base(tiny_base), pixels, on=False, frame_chunk=5)
    theirs = library_tokens(native(tiny_base), pixels)
    assert ours.shape == (2, 5 * 9 + 1, 48)
    assert float((ours - theirs).abs().max()) == 0.0
    assert float(ours.std()) > 0.01  # not equal for being all zero


def test_odd_grid_equals_the_library(tmp_path: Path) -> None:
    """Check 1 on 7 x 7 patches, where 2x pooling rounds up to 4 x 4 and interpolates."""
    folder = write_tiny_base(tmp_path / "odd", grid=7)
    pixels = random_pixels(2, 3, 3, 49, 49)
    ours = encode(open_base(folder), pixels, on=False, frame_chunk=3)
    assert ours.shape == (2, 3 * 16 + 1, 48)
    assert float((ours - library_tokens(native(folder), pixels)).abs().max()) == 0.0


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_chunk_size_does_not_matter(tiny_base: Path, chunk: int) -> None:
    """Check 2: chunks of 1, 4 and 100 frames give the same tokens (1e-6)."""
    pixels = random_pixels(2, 6, 3, 42, 42)
    ours = encode(open_base(tiny_base), pixels, on=False, frame_chunk=chunk)
    torch.testing.assert_close(ours, library_tokens(native(tiny_base), pixels), atol=1e-6, rtol=0)


def narrow_base() -> Base:
    """The real geometry (384 px, patch 14, 27 x 27) on a tower of width 32."""
    config = tiny_config(grid=27, patch=14)
    config.vision_config.image_size = 384
    torch.manual_seed(0)
    model = LlavaOnevisionForConditionalGeneration(config).eval().requires_grad_(False)
    model.model.image_newline.normal_(generator=torch.Generator().manual_seed(1))
    info = BaseInfo(
        folder=Path("narrow"),
        image_size=384,
        grid=27,
        vision_width=32,
        vision_heads=4,
        vision_blocks=3,
        text_width=48,
        image_token_id=259,
        end_token_id=258,
    )
    return Base(model, info, CPU)


@pytest.mark.parametrize(("frames", "tokens"), [(1, 197), (20, 3921)])
def test_real_geometry(frames: int, tokens: int) -> None:
    """Check 3: 729 patches pool to 196, 1 frame is 197 tokens, 20 are 3921, newline last."""
    base = narrow_base()
    pixels = random_pixels(1, frames, 3, 384, 384)
    z = encode(base, pixels, on=False)
    assert base.info.patches == 729
    assert base.info.tokens_per_frame == 196
    assert z.shape == (1, tokens, 48)
    assert torch.equal(z[0, -1], base.newline)
    torch.testing.assert_close(z, library_tokens(base.model, pixels), atol=1e-6, rtol=0)


def test_grid_pools_row_major() -> None:
    """Check 3: 27 x 27 to 14 x 14 in row-major order; the corners average the corner patches."""
    rows, columns = torch.meshgrid(torch.arange(27.0), torch.arange(27.0), indexing="ij")
    pooled = pool_grid(torch.stack([rows.flatten(), columns.flatten()], dim=-1)[None])
    # Bilinear without aligned corners: output i reads source (i + 0.5) * 27 / 14 - 0.5.
    source = (torch.arange(14.0) + 0.5) * 27 / 14 - 0.5
    assert pooled.shape == (1, 196, 2)
    torch.testing.assert_close(pooled[0, :, 0].view(14, 14), source[:, None].expand(14, 14))
    torch.testing.assert_close(pooled[0, :, 1].view(14, 14), source[None, :].expand(14, 14))


def test_no_square_grid_is_refused() -> None:
    """Section 2.2: tokens that form no square are not pooled."""
    with pytest.raises(ValueError, match=r"^730 patches are no square grid$"):
        pool_grid(torch.zeros(1, 730, 2))


def test_adapter_off_or_zero_is_the_base(tiny_base: Path) -> None:
    """Check 4: adapter off: Z identical to the base; B = 0: identical; B != 0: Z_x differs."""
    pixels = random_pixels(2, 5, 3, 42, 42)
    plain = encode(open_base(tiny_base), pixels, on=False)
    base = open_base(tiny_base)
    add_adapter(base, "vision", LORA, seed=1)
    assert torch.equal(encode(base, pixels, on=False), plain)
    assert torch.equal(encode(base, pixels, on=True), plain)
    randomise_adapter(base, "vision", seed=2)
    assert torch.equal(encode(base, pixels, on=False), plain)
    changed = encode(base, pixels, on=True)
    assert float((changed - plain).abs().max()) > 1e-2
    assert torch.equal(changed[:, -1], plain[:, -1])  # the newline never changes


def test_language_adapter_leaves_both_streams(tiny_base: Path) -> None:
    """Check 4: the language adapter is on other modules, so no stream depends on it."""
    pixels = random_pixels(1, 4, 3, 42, 42)
    base = open_base(tiny_base)
    random_adapter(base, "vision")
    video, x = encode(base, pixels, on=False), encode(base, pixels, on=True)
    random_adapter(base, "language")
    assert torch.equal(encode(base, pixels, on=False), video)
    assert torch.equal(encode(base, pixels, on=True), x)


def test_trainable_set_is_the_language_adapter(tiny_base: Path) -> None:
    """Check 4: after any call exactly the language adapter's tensors require gradients."""
    base = open_base(tiny_base)
    random_adapter(base, "vision")
    random_adapter(base, "language")
    assert not any(parameter.requires_grad for parameter in base.model.parameters())
    set_trainable(base, "language")
    pixels = random_pixels(1, 2, 3, 42, 42)
    for on in (False, True, False):
        encode(base, pixels, on=on)
        found = {n for n, p in base.model.named_parameters() if p.requires_grad}
        assert found == set(adapter_parameters(base, "language"))
        assert len(found) == 2 * 2 * 7  # A and B, two blocks, seven linears
        assert all("model.language_model.layers." in name for name in found)


def test_frozen_adapter_has_no_dropout(tiny_base: Path) -> None:
    """Section 9.4: the released frozen vision adapter draws dropout during sft; ours does not."""
    base = open_base(tiny_base)
    random_adapter(base, "vision", LoraSettings(rank=4, alpha=8, dropout=0.5))
    random_adapter(base, "language", LoraSettings(rank=4, alpha=8, dropout=0.5))
    pixels = random_pixels(1, 2, 3, 42, 42)
    set_trainable(base, "vision")
    assert not torch.equal(encode(base, pixels, on=True), encode(base, pixels, on=True))
    set_trainable(base, "language")
    assert torch.equal(encode(base, pixels, on=True), encode(base, pixels, on=True))


def test_video_stream_ignores_the_vision_adapter(tiny_base: Path) -> None:
    """Check 5: Z_v is unchanged when the vision adapter's weights change; Z_x is not."""
    pixels = random_pixels(2, 5, 3, 42, 42)
    base = open_base(tiny_base)
    random_adapter(base, "vision", seed=1)
    video, x = encode(base, pixels, on=False), encode(base, pixels, on=True)
    randomise_adapter(base, "vision", seed=2)
    assert torch.equal(encode(base, pixels, on=False), video)
    assert not torch.equal(encode(base, pixels, on=True), x)


def test_nested_switches_restore(tiny_base: Path) -> None:
    """Checks 4 and 36 (C3): an inner switch gives back what was there, also after an error."""
    pixels = random_pixels(1, 2, 3, 42, 42)
    base = open_base(tiny_base)
    random_adapter(base, "vision")
    random_adapter(base, "language")

    def tokens() -> torch.Tensor:
        with torch.no_grad():
            return close_clip(clip_tokens(base, pixels, frame_chunk=4), base.newline)

    video, x = encode(base, pixels, on=False), encode(base, pixels, on=True)
    assert not torch.equal(video, x)
    with adapter_switched(base, "vision", on=False):
        with adapter_switched(base, "vision", on=False):
            assert torch.equal(tokens(), video)
        assert torch.equal(tokens(), video)
        with adapter_switched(base, "vision", on=True):
            with adapter_switched(base, "vision", on=False):
                assert torch.equal(tokens(), video)
            assert torch.equal(tokens(), x)
        assert torch.equal(tokens(), video)
        assert not any(layer.disable_adapters for layer in lora_layers(base, "language").values())
    assert torch.equal(tokens(), x)
    with pytest.raises(KeyError), adapter_switched(base, "vision", on=False):
        raise KeyError("inside")
    assert torch.equal(tokens(), x)


def test_switching_leaves_the_trainable_set(tiny_base: Path) -> None:
    """Check 4: a switch must not turn `requires_grad` on, as PEFT's own context does."""
    base = open_base(tiny_base)
    random_adapter(base, "vision")
    random_adapter(base, "language")
    set_trainable(base, "language")
    with adapter_switched(base, "vision", on=False):
        pass
    assert not any(p.requires_grad for p in adapter_parameters(base, "vision").values())


def test_pair_merge() -> None:
    """Check 29: 6 frames of 9 tokens become 3, the means of (0,1), (2,3), (4,5); newline stays."""
    tokens = random_pixels(1, 6, 9, 48)
    newline = random_pixels(48, seed=4)
    z = close_clip(merge_pairs(tokens), newline)
    assert close_clip(tokens, newline).shape == (1, 6 * 9 + 1, 48)
    assert z.shape == (1, 3 * 9 + 1, 48)
    for pair in range(3):
        expected = (tokens[0, 2 * pair] + tokens[0, 2 * pair + 1]) / 2
        torch.testing.assert_close(z[0, pair * 9 : (pair + 1) * 9], expected, atol=1e-6, rtol=0)
    assert torch.equal(z[0, -1], newline)
    with pytest.raises(ValueError, match=r"^5 frames cannot be merged in pairs$"):
        merge_pairs(tokens[:, :5])


def test_x_pooling(tiny_base: Path) -> None:
    """Check 29: pooling X gives F + 1 tokens, each frame's mean; Z_v keeps its length."""
    base = open_base(tiny_base)
    pixels = random_pixels(1, 6, 3, 42, 42)
    with torch.no_grad():
        tokens = clip_tokens(base, pixels, frame_chunk=4)
    pooled = close_clip(pool_frames(tokens), base.newline)
    assert pooled.shape == (1, 7, 48)
    for frame in range(6):
        expected = tokens[0, frame].sum(dim=0) / 9
        torch.testing.assert_close(pooled[0, frame], expected, atol=1e-6, rtol=0)
    assert torch.equal(pooled[0, -1], base.newline)
    assert close_clip(tokens, base.newline).shape == (1, 6 * 9 + 1, 48)
