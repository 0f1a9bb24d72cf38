"""Method section 10, checks 7 to 9: streaming the reference against its definition.

Shape legend: B clips, F frames, N images, h heads, S patches, d head width, D language width.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lynx.align.reference import Moments, ReferenceBuilder, load_reference
from lynx.errors import InputError
from lynx.model.base import Base
from lynx.model.families.llava_onevision import BaseInfo
from tests.tiny_model import CPU, AttentionRecord, encode, open_base, random_pixels

EXACT = {"atol": 1e-6, "rtol": 0.0}


@pytest.fixture(scope="module")
def base(tiny_base: Path) -> Base:
    return open_base(tiny_base)


def built(base: Base, *clips: torch.Tensor, frame_chunk: int = 4) -> ReferenceBuilder:
    builder = ReferenceBuilder(base.info)
    for clip in clips:
        builder.add(base, clip, frame_chunk=frame_chunk)
    return builder


def clips_of(*frames: int) -> list[torch.Tensor]:
    return [random_pixels(1, count, 3, 42, 42, seed=40 + i) for i, count in enumerate(frames)]


def library_means(base: Base, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean keys and values (blocks, h, S, d) of images (N, 3, P, P), from the library's pass."""
    with torch.no_grad():
        record = AttentionRecord(base.tower, pixels)
        blocks = range(len(record.modules))
        keys = torch.stack([record.heads(block, "k_proj").mean(dim=0) for block in blocks])
        values = torch.stack([record.heads(block, "v_proj").mean(dim=0) for block in blocks])
    return keys, values


def test_streaming_moments_are_the_direct_ones(base: Base) -> None:
    """Check 7: moments over 5, 2 and 9 frames equal mean and population variance (1e-6)."""
    clips = clips_of(5, 2, 9)
    moments = built(base, *clips).moments
    rows = torch.cat([encode(base, clip, on=False)[0] for clip in clips]).double()
    assert moments.count == len(rows) == (5 + 2 + 9) * 9 + 3  # each clip's newline is a row
    torch.testing.assert_close(moments.mean, rows.mean(dim=0), **EXACT)
    torch.testing.assert_close(moments.variance, rows.var(dim=0, unbiased=False), **EXACT)
    assert not torch.allclose(moments.variance, rows.var(dim=0, unbiased=True), **EXACT)


def test_moments_survive_a_large_mean() -> None:
    """Check 7: a mean far above the spread does not cancel the variance away."""
    rows = random_pixels(1000, 8) + 1e4
    moments = Moments.empty(8)
    for block in rows.split(7):
        moments.add(block)
    wide = rows.double()
    torch.testing.assert_close(moments.variance, wide.var(dim=0, unbiased=False), **EXACT)


def test_merging_shards_in_any_order(base: Base) -> None:
    """Check 7: every order of merging three shards equals the single pass."""
    clips = clips_of(5, 2, 9, 1)
    whole = built(base, *clips)
    for order in itertools.permutations(range(3)):
        shards = [built(base, clips[0], clips[3]), built(base, clips[1]), built(base, clips[2])]
        merged = ReferenceBuilder(base.info)
        for index in order:
            merged.merge(shards[index])
        assert (merged.clips, merged.frames, merged.moments.count) == (4, 17, whole.moments.count)
        torch.testing.assert_close(merged.moments.mean, whole.moments.mean, **EXACT)
        torch.testing.assert_close(merged.moments.variance, whole.moments.variance, **EXACT)
        torch.testing.assert_close(merged.keys / 17, whole.keys / 17, **EXACT)
        torch.testing.assert_close(merged.values / 17, whole.values / 17, **EXACT)


def test_single_frame_is_its_own_keys_and_values(base: Base) -> None:
    """Check 8: of one frame, the means are that frame's k_proj and v_proj."""
    (clip,) = clips_of(1)
    builder = built(base, clip)
    keys, values = library_means(base, clip[0])
    torch.testing.assert_close(builder.keys, keys, **EXACT)
    torch.testing.assert_close(builder.values, values, **EXACT)


def test_duplicated_frames_change_nothing(base: Base) -> None:
    """Check 8: duplicating every frame leaves mean keys and values unchanged."""
    clips = clips_of(3, 2)
    once = built(base, *clips)
    twice = built(base, *(clip.repeat_interleave(2, dim=1) for clip in clips))
    assert (once.frames, twice.frames) == (5, 10)
    torch.testing.assert_close(twice.keys / 10, once.keys / 5, **EXACT)
    torch.testing.assert_close(twice.values / 10, once.values / 5, **EXACT)


def test_weights_are_per_frame(base: Base) -> None:
    """Check 8: a clip of 2 frames and one of 6 weigh 2:6, which is not the mean of clip means."""
    short, long = clips_of(2, 6)
    builder = built(base, short, long)
    (k2, v2), (k6, v6) = library_means(base, short[0]), library_means(base, long[0])
    torch.testing.assert_close(builder.keys / 8, (2 * k2 + 6 * k6) / 8, **EXACT)
    torch.testing.assert_close(builder.values / 8, (2 * v2 + 6 * v6) / 8, **EXACT)
    assert not torch.allclose(builder.keys / 8, (k2 + k6) / 2, atol=1e-3, rtol=0)


def test_batching_and_chunks_change_nothing(base: Base) -> None:
    """Section 9.5: clips may be batched; two clips at once equal one after the other."""
    clips = clips_of(5, 5)
    apart, together = built(base, *clips), built(base, torch.cat(clips), frame_chunk=2)
    assert (apart.clips, apart.frames) == (together.clips, together.frames) == (2, 10)
    torch.testing.assert_close(together.keys / 10, apart.keys / 10, **EXACT)
    torch.testing.assert_close(together.moments.mean, apart.moments.mean, **EXACT)
    torch.testing.assert_close(together.moments.variance, apart.moments.variance, **EXACT)


def test_file(base: Base, tmp_path: Path) -> None:
    """Check 9: keys, dtypes and shapes of the file, and what is read back."""
    builder = built(base, *clips_of(5, 2))
    builder.save(tmp_path)
    tensors = load_file(tmp_path / "reference.safetensors")
    assert {name: (item.dtype, tuple(item.shape)) for name, item in tensors.items()} == {
        "token_mean": (torch.float32, (48,)),
        "token_var": (torch.float32, (48,)),
        "vision_ref_k": (torch.float16, (3, 4, 36, 8)),
        "vision_ref_v": (torch.float16, (3, 4, 36, 8)),
    }
    reference = load_reference(tmp_path, base.info, CPU)
    assert torch.equal(reference.token_mean, builder.moments.mean.float())
    assert torch.equal(reference.token_var, builder.moments.variance.float())
    assert torch.equal(reference.keys, (builder.keys / 7).half())
    assert torch.equal(reference.values, (builder.values / 7).half())


def test_elements_of_the_real_base() -> None:
    """Check 9: 26 x 16 x 729 x 72 = 21 835 008 elements per vision tensor."""
    info = BaseInfo(Path("0.5b"), 384, 27, 1152, 16, 26, 896, 151646, 151645)
    with torch.device("meta"):
        builder = ReferenceBuilder(info)
    assert builder.keys.shape == builder.values.shape == (26, 16, 729, 72)
    assert builder.keys.numel() == builder.values.numel() == 21_835_008
    assert builder.moments.mean.shape == (896,)


def test_a_reference_of_another_base_is_refused(base: Base, tmp_path: Path) -> None:
    """Section 9.3 (S14): a stale file is not taken for this base's."""
    built(base, *clips_of(1)).save(tmp_path)
    info = BaseInfo(Path("other"), 49, 7, 32, 4, 3, 48, 259, 258)
    with pytest.raises(InputError) as caught:
        load_reference(tmp_path, info, CPU)
    assert str(caught.value) == (
        f"{tmp_path}/reference.safetensors: keys of shape (3, 4, 36, 8), expected (3, 4, 49, 8) "
        "for other; the reference is of another base, so run its rule again"
    )


def test_another_language_model_is_refused(base: Base, tmp_path: Path) -> None:
    """Section 9.2 (C7): the same tower geometry with another width D is another base."""
    built(base, *clips_of(1)).save(tmp_path)
    info = BaseInfo(Path("wide"), 42, 6, 32, 4, 3, 64, 259, 258)
    with pytest.raises(InputError) as caught:
        load_reference(tmp_path, info, CPU)
    assert str(caught.value) == (
        f"{tmp_path}/reference.safetensors: token moments of width 48, expected 64 for wide; "
        "the reference is of another base, so run its rule again"
    )


@pytest.mark.parametrize("name", ["token_mean", "token_var", "vision_ref_k", "vision_ref_v"])
def test_a_missing_tensor_is_refused(base: Base, tmp_path: Path, name: str) -> None:
    """Architecture, rule 11: a file without one of the four tensors, told by its name."""
    path = tmp_path / "reference.safetensors"
    built(base, *clips_of(1)).save(tmp_path)
    save_file({key: item for key, item in load_file(path).items() if key != name}, path)
    with pytest.raises(InputError) as caught:
        load_reference(tmp_path, base.info, CPU)
    assert str(caught.value) == (
        f"{path}: no tensor {name}, expected token_mean, token_var, vision_ref_k, vision_ref_v; "
        "run the reference rule again"
    )


def test_no_frames_is_an_error(base: Base) -> None:
    """Section 9.5, point 6: an empty reference fails loudly."""
    with pytest.raises(InputError) as caught:
        ReferenceBuilder(base.info).tensors()
    assert str(caught.value) == (
        "reference: no frames were seen; check that the training split has clips"
    )
