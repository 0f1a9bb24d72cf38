"""Method section 10, checks 11, 12, 14 to 16: alignment loss and gradients from the definition.

Shape legend: B items, F pseudo-frames, N images of a chunk, h heads, S patches, d head width,
Q query positions, Dv tower width, D language width.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from lynx.align import losses
from lynx.align.losses import (
    AttentionResponse,
    Reference,
    query_positions,
)
from lynx.align.reference import ReferenceBuilder
from lynx.align.train import AlignObjective
from lynx.config.stages import AlignSettings, LoraSettings, OptimizerSettings
from lynx.modalities.depth import DepthDrawing
from lynx.model.adapters import adapter_parameters, add_adapter, set_trainable
from lynx.model.base import Base
from lynx.model.tower import BlockAttention, clip_tokens
from tests.tiny_model import (
    AttentionRecord,
    encode,
    open_base,
    random_adapter,
    random_pixels,
)

LORA = LoraSettings(rank=4, alpha=8, dropout=0.0)
SETTINGS = AlignSettings(
    sources=("scanqa",),
    drawing=DepthDrawing(
        modality="depth", encoding="turbo+normals", clip_mm=(200, 4000), normals_frame="camera"
    ),
    steps_per_item=1,
    frame_chunk=4,
    query_stride=2,
    attention_weight=1.0,
    moment_weight=0.01,
    lora=LORA,
    optimizer=OptimizerSettings(
        learning_rate=1e-3,
        epochs=1,
        batch=2,
        micro_batch=2,
        warmup_ratio=0.0,
        weight_decay=0.0,
        max_grad_norm=1.0,
    ),
)


def reference_of(base: Base, frames: int = 6) -> Reference:
    """A reference as the file holds it: moments in float32, keys and values in float16."""
    builder = ReferenceBuilder(base.info)
    builder.add(base, random_pixels(1, frames, 3, 42, 42, seed=77), frame_chunk=4)
    tensors = builder.tensors()
    return Reference(
        tensors["token_mean"],
        tensors["token_var"],
        tensors["vision_ref_k"],
        tensors["vision_ref_v"],
    )


def explicit_terms(
    base: Base, pixels: torch.Tensor, reference: Reference, chunk: int
) -> list[torch.Tensor]:
    """One term per chunk and block, with softmax written out, on the library's own pass."""
    positions = [6 * row + column for row in (0, 2, 4) for column in (0, 2, 4)]
    terms = []
    for start in range(0, pixels.shape[1], chunk):
        record = AttentionRecord(base.tower, pixels[:, start : start + chunk].flatten(0, 1))
        for block, module in enumerate(record.modules):
            queries = record.heads(block, "q_proj")[:, :, positions]  # (N, h, Q, d)
            keys, values = reference.keys[block].float(), reference.values[block].float()
            scores = torch.einsum("nhqd,hsd->nhqs", queries, keys) * module.head_dim**-0.5
            mixed = torch.einsum("nhqs,hsd->nqhd", scores.softmax(dim=-1), values)
            response = module.out_proj(mixed.flatten(2))
            terms.append((record.outputs[block][:, positions] - response).abs().mean())
    return terms


def hooked_loss(base: Base, pixels: torch.Tensor, reference: Reference, chunk: int) -> torch.Tensor:
    response = AttentionResponse(reference, query_positions(6, 2))
    clip_tokens(base, pixels, frame_chunk=chunk, start_chunk=lambda: response.observe)
    return response.loss()


def test_own_keys_and_values_give_zero(tiny_base: Path) -> None:
    """Check 11: L_attn = 0 (1e-7) when the reference is the sample's own, one frame, batch 1."""
    base = open_base(tiny_base)
    random_adapter(base, "vision")
    pixels = random_pixels(1, 1, 3, 42, 42)
    with torch.no_grad():
        record = AttentionRecord(base.tower, pixels[0])
        own = Reference(
            token_mean=torch.zeros(48),
            token_var=torch.ones(48),
            keys=torch.stack([record.heads(block, "k_proj")[0] for block in range(3)]),
            values=torch.stack([record.heads(block, "v_proj")[0] for block in range(3)]),
        )
        assert float(hooked_loss(base, pixels, own, 4)) <= 1e-7
        other = Reference(own.token_mean, own.token_var, own.keys + 0.5, own.values + 0.5)
        assert float(hooked_loss(base, pixels, other, 4)) > 1e-2


def test_attention_loss_is_the_explicit_one(tiny_base: Path) -> None:
    """Check 12: batch 2, 6 frames, float16 reference, chunk 4: equal to explicit softmax (1e-6)."""
    base = open_base(tiny_base)
    random_adapter(base, "vision")
    reference = reference_of(base)
    assert reference.keys.dtype == reference.values.dtype == torch.float16
    pixels = random_pixels(2, 6, 3, 42, 42)
    with torch.no_grad():
        found = hooked_loss(base, pixels, reference, 4)
        terms = explicit_terms(base, pixels, reference, 4)
    assert len(terms) == 2 * 3
    expected = torch.stack(terms).mean()
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert float(expected) > 1e-3


def test_chunks_weigh_equally(tiny_base: Path) -> None:
    """Check 12: chunks of 4 and 2 frames weigh equally, which differs from the unchunked mean."""
    base = open_base(tiny_base)
    random_adapter(base, "vision")
    reference = reference_of(base)
    pixels = random_pixels(2, 6, 3, 42, 42)
    pixels[:, 4:] *= 3  # the short chunk has other values, so that its weight is seen
    with torch.no_grad():
        four = torch.stack(explicit_terms(base, pixels[:, :4], reference, 4)).mean()
        two = torch.stack(explicit_terms(base, pixels[:, 4:], reference, 4)).mean()
        chunked = hooked_loss(base, pixels, reference, 4)
        unchunked = hooked_loss(base, pixels, reference, 6)
    torch.testing.assert_close(chunked, (four + two) / 2, atol=1e-6, rtol=0)
    torch.testing.assert_close(unchunked, (4 * four + 2 * two) / 6, atol=1e-6, rtol=0)
    assert abs(float(chunked - unchunked)) > 1e-4


def test_total_loss(tiny_base: Path) -> None:
    """Check 14: L = 1.0 * L_attn + 0.01 * L_stat, newlines among the rows of L_stat."""
    base = open_base(tiny_base)
    random_adapter(base, "vision")
    reference = reference_of(base)
    pixels = random_pixels(2, 6, 3, 42, 42)
    with torch.no_grad():
        loss, terms = AlignObjective(base, reference, SETTINGS)(pixels)
        attention = torch.stack(explicit_terms(base, pixels, reference, 4)).mean()
        rows = encode(base, pixels, on=True).flatten(0, 1)
    assert rows.shape == (2 * (6 * 9 + 1), 48)
    means = torch.linalg.norm(rows.mean(dim=0) - reference.token_mean)
    variances = torch.linalg.norm(rows.var(dim=0, correction=0) - reference.token_var)
    moments = means + variances
    assert float(loss) == pytest.approx(float(attention) + 0.01 * float(moments), abs=1e-6)
    assert terms == pytest.approx(
        {"attention": float(attention), "moments": float(moments)}, abs=1e-5
    )


def gradients(
    base: Base, reference: Reference, pixels: torch.Tensor, settings: AlignSettings = SETTINGS
) -> dict[str, torch.Tensor]:
    """Gradients of all vision adapter tensors after one backward pass."""
    set_trainable(base, "vision")
    parameters = adapter_parameters(base, "vision")
    for parameter in parameters.values():
        parameter.grad = None
    AlignObjective(base, reference, settings)(pixels)[0].backward()
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in parameters.items()
    }


def test_gradients_at_the_start(tiny_base: Path) -> None:
    """Check 15: with B = 0 gradients of all A are 0 and of all B are not."""
    base = open_base(tiny_base)
    add_adapter(base, "vision", LORA, seed=1)
    found = gradients(base, reference_of(base), random_pixels(2, 6, 3, 42, 42))
    a = {name: grad for name, grad in found.items() if ".lora_A." in name}
    b = {name: grad for name, grad in found.items() if ".lora_B." in name}
    assert len(a) == len(b) == 18
    assert [name for name, grad in a.items() if grad.abs().max() > 0] == []
    assert [name for name, grad in b.items() if grad.abs().max() == 0] == []


def test_every_tensor_learns(tiny_base: Path) -> None:
    """Check 15: with B != 0 all 36 tensors receive gradients, and nothing else does."""
    base = open_base(tiny_base)
    reference = reference_of(base)
    random_adapter(base, "vision")
    found = gradients(base, reference, random_pixels(2, 6, 3, 42, 42))
    assert len(found) == 36
    assert [name for name, grad in found.items() if grad.abs().max() == 0] == []
    others = [n for n, p in base.model.named_parameters() if p.grad is not None and n not in found]
    assert others == []


@pytest.mark.parametrize("kept", ["attention_weight", "moment_weight"])
def test_a_term_of_weight_zero_is_measured_only(tiny_base: Path, kept: str) -> None:
    """Table 5 drops one term: the other one alone is trained, and both are logged."""
    base = open_base(tiny_base)
    reference = reference_of(base)
    random_adapter(base, "vision")
    pixels = random_pixels(2, 6, 3, 42, 42)
    weights = {"attention_weight": 0.0, "moment_weight": 0.0, kept: 0.5}
    settings = SETTINGS.model_copy(update=weights)
    both = AlignObjective(base, reference, SETTINGS)(pixels)[1]
    loss, terms = AlignObjective(base, reference, settings)(pixels)
    name = {"attention_weight": "attention", "moment_weight": "moments"}[kept]
    assert terms == both
    assert float(loss.detach()) == pytest.approx(0.5 * terms[name], rel=1e-6)
    found = gradients(base, reference, pixels, settings)
    assert max(float(grad.abs().max()) for grad in found.values()) > 0
    # Not even a reference that holds no number reaches a term that is not trained.
    spoilt = Reference(
        *(
            torch.full_like(item, torch.nan) if name != part else item
            for part, item in (
                ("moments", reference.token_mean),
                ("moments", reference.token_var),
                ("attention", reference.keys),
                ("attention", reference.values),
            )
        )
    )
    again = gradients(base, spoilt, pixels, settings)
    assert all(torch.equal(found[key], again[key]) for key in found)


def detached_term(
    block: BlockAttention, keys: torch.Tensor, values: torch.Tensor, positions: torch.Tensor
) -> torch.Tensor:
    """`attention_term` with a stop-gradient on O', which the method does not have."""
    kept = BlockAttention(
        block.index,
        block.queries.detach(),
        block.keys,
        block.values,
        block.output.detach(),
        block.out_proj,
        block.scale,
    )
    response = block.output[:, positions].detach() - _difference(kept, keys, values, positions)
    return (block.output[:, positions] - response.detach()).abs().mean()


def _difference(
    block: BlockAttention, keys: torch.Tensor, values: torch.Tensor, positions: torch.Tensor
) -> torch.Tensor:
    """O - O' (N, Q, Dv)."""
    queries = block.queries[:, :, positions]
    wide = (len(queries), -1, -1, -1)
    mixed = F.scaled_dot_product_attention(
        queries, keys.float().expand(wide), values.float().expand(wide), scale=block.scale
    )
    mixed = mixed.transpose(1, 2).flatten(2)
    return block.output[:, positions] - block.out_proj(mixed)


def test_no_stop_gradient(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check 16: a stop-gradient on O' leaves the value and changes q and out_proj gradients."""
    base = open_base(tiny_base)
    reference = reference_of(base)
    random_adapter(base, "vision")
    pixels = random_pixels(2, 6, 3, 42, 42)
    found = gradients(base, reference, pixels)
    objective = AlignObjective(base, reference, SETTINGS)
    value = float(objective(pixels)[0].detach())
    monkeypatch.setattr(losses, "attention_term", detached_term)
    detached = gradients(base, reference, pixels)
    assert float(objective(pixels)[0].detach()) == pytest.approx(value, abs=1e-6)
    for projection in ("q_proj", "out_proj"):
        names = [name for name in found if f".{projection}." in name]
        assert len(names) == 6
        for name in names:
            change = float((found[name] - detached[name]).norm() / found[name].norm())
            assert change > 1e-2, name


def test_gradient_is_that_of_both_sides(tiny_base: Path) -> None:
    """Check 16: the gradient equals a finite difference of L_attn in float64, O' moving along."""
    base = open_base(tiny_base)
    base.model.double()
    random_adapter(base, "vision")
    for parameter in adapter_parameters(base, "vision").values():
        parameter.data = parameter.data.double()
    reference = reference_of(base)
    pixels = random_pixels(1, 3, 3, 42, 42).double()
    settings = SETTINGS.model_copy(update={"moment_weight": 0.0})  # moments are in float32
    found = gradients(base, reference, pixels, settings)
    parameters = adapter_parameters(base, "vision")
    objective = AlignObjective(base, reference, settings)
    generator = torch.Generator().manual_seed(9)
    for name in [n for n in found if "q_proj" in n or "out_proj" in n]:
        direction = torch.randn(found[name].shape, generator=generator, dtype=torch.float64)
        values = []
        with torch.no_grad():
            for step in (1e-6, -2e-6):
                parameters[name] += step * direction
                values.append(float(objective(pixels)[0]))
            parameters[name] += 1e-6 * direction
        numeric = (values[0] - values[1]) / 2e-6
        assert numeric == pytest.approx(float((found[name] * direction).sum()), rel=1e-3, abs=1e-5)
