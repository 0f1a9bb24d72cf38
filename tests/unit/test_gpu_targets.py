"""How attention is computed on each GPU target, and that it is the same attention."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from lynx.align.losses import AttentionResponse, Reference, query_positions
from lynx.artifacts.environment import describe_environment
from lynx.config.gpu_targets import GPU_TARGETS, Attention, GpuTargetName
from lynx.errors import InputError
from lynx.model.attention import attend, choose_attention, use_attention, use_packed_attention
from lynx.model.base import Base, load_base
from lynx.model.chat import ChatEncoder
from lynx.model.generate import generate_answers
from lynx.model.tower import clip_tokens
from lynx.probe_device import KernelState, run_kernels
from tests import fake_flash_attn
from tests.tiny_model import CPU, open_base, random_pixels

CUDA = torch.device("cuda", 0)
QUESTIONS = [("what is it", "a lamp"), ("where is the red chair standing", "here"), ("why", "so")]


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch says that its GPU is an A6000."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 6))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA RTX A6000")


@pytest.mark.parametrize("target", GPU_TARGETS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_cpu_computes_as_before(target: GpuTargetName, dtype: torch.dtype) -> None:
    assert choose_attention(target, CPU, dtype) == "sdpa"


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize(
    ("target", "dtype", "expected"),
    [
        ("cpu", torch.bfloat16, "sdpa"),
        ("blackwell", torch.bfloat16, "sdpa"),
        ("a6000", torch.bfloat16, "flash_attention_2"),
        ("a6000", torch.float16, "flash_attention_2"),
        ("a6000", torch.float32, "sdpa"),
    ],
)
def test_a_gpu_computes_as_its_target_says(
    monkeypatch: pytest.MonkeyPatch, target: GpuTargetName, dtype: torch.dtype, expected: Attention
) -> None:
    fake_flash_attn.install(monkeypatch)
    assert choose_attention(target, CUDA, dtype) == expected


@pytest.mark.usefixtures("card")
def test_flash_attn_that_does_not_import_is_no_reason_to_fall_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "flash_attn", None)
    with pytest.raises(InputError) as caught:
        choose_attention("a6000", CUDA, torch.bfloat16)
    assert str(caught.value) == (
        "config/site.yaml: gpu_target is a6000, which computes attention with flash-attn 2, but "
        "flash_attn does not import here (import of flash_attn halted; None in sys.modules); run "
        "jobs in the environment of envs/a6000.yaml (--sdm conda), or set gpu_target to one of "
        "cpu, blackwell"
    )
    assert choose_attention("blackwell", CUDA, torch.bfloat16) == "sdpa"


def test_a_card_older_than_flash_attn_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_flash_attn.install(monkeypatch)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Tesla T4")
    with pytest.raises(InputError) as caught:
        choose_attention("a6000", CUDA, torch.float16)
    assert str(caught.value) == (
        "config/site.yaml: gpu_target is a6000, whose flash-attn 2 needs compute capability 8.0 or "
        "newer, but Tesla T4 has 7.5; set gpu_target to one of cpu, blackwell"
    )


@pytest.mark.parametrize("target", GPU_TARGETS)
def test_a_base_on_the_cpu_is_sdpa_whatever_the_target(
    tiny_base: Path, target: GpuTargetName
) -> None:
    base = load_base(tiny_base, ["tower"], dtype="bfloat16", device=CPU, gpu_target=target)
    assert base.attention == "sdpa"


def observed(base: Base) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens of random clips, and their attention loss against random keys and values."""
    info, numbers = base.info, torch.Generator().manual_seed(1)
    shape = (info.vision_blocks, info.vision_heads, info.patches, 8)
    keys, values = (torch.randn(shape, generator=numbers) for _ in range(2))
    zero = torch.zeros(info.text_width)
    response = AttentionResponse(Reference(zero, zero, keys, values), query_positions(info.grid, 2))
    pixels = random_pixels(2, 3, 3, info.image_size, info.image_size)
    tokens = clip_tokens(base, pixels, frame_chunk=2, start_chunk=lambda: response.observe)
    return tokens, response.loss()


def test_the_tower_sees_the_same_with_flash_attn(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Layouts and scale of both calls, in the blocks and in the alignment's attention term."""
    calls: list[float] = []

    def counted(*arguments: torch.Tensor, **options: float) -> torch.Tensor:
        calls.append(options["softmax_scale"])
        return fake_flash_attn.flash_attn_func(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(fake_flash_attn.install(monkeypatch), "flash_attn_func", counted)
    base = open_base(tiny_base, ["tower"])
    with torch.no_grad():
        expected = observed(base)
        assert not calls
        use_attention(base.model, "flash_attention_2")
        found = observed(base)
    chunks = 2  # of 3 frames, 2 at a time
    assert calls == [8**-0.5] * 2 * chunks * base.info.vision_blocks
    torch.testing.assert_close(found[0], expected[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[1], expected[1], atol=1e-5, rtol=0)


def test_answers_are_the_same_with_flash_attn(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions of different lengths behind one prefix: padding lies in the middle of a row."""
    fake_flash_attn.install(monkeypatch)
    base = open_base(tiny_base)
    encoder = ChatEncoder.load(base.info.folder, base.info.image_token_id)
    chats = [encoder.encode([turn], answer_last=False) for turn in QUESTIONS]
    assert len({len(chat.suffix_ids) for chat in chats}) == 3  # or nothing is padded
    video = torch.randn(20, base.info.text_width, generator=torch.Generator().manual_seed(2))

    def answers() -> tuple[list[list[int]], list[torch.Tensor]]:
        seen: list[torch.Tensor] = []
        handle = base.head.register_forward_hook(lambda *call: seen.append(call[2].clone()))
        try:
            found = generate_answers(base, [video], chats, max_new_tokens=6, min_new_tokens=6)
        finally:
            handle.remove()
        return found, seen

    expected, logits = answers()
    use_attention(base.model, "flash_attention_2")
    found, again = answers()
    assert found == expected
    for one, other in zip(again, logits, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=0)


def test_packed_questions_are_read_with_sdpa(tiny_base: Path) -> None:
    """Their mask is not causal alone, which flash-attn 2 could not honour."""
    base = open_base(tiny_base)
    use_attention(base.model, "flash_attention_2")
    assert base.attention == "flash_attention_2"
    use_packed_attention(base.model)
    assert base.attention == "flash_attention_2 (tower), sdpa (language)"
    alone = open_base(tiny_base, ["language"])
    use_attention(alone.model, "flash_attention_2")
    use_packed_attention(alone.model)
    assert alone.attention == "sdpa"


def test_the_environment_names_flash_attn_where_it_was_used() -> None:
    block = describe_environment("a card", "a6000", "flash_attention_2")
    assert (block["device"], block["gpu_target"]) == ("a card", "a6000")
    assert (block["attention"], block["flash-attn"]) == ("flash_attention_2", "absent")
    sdpa = describe_environment("cpu, 1 threads", "cpu", "sdpa")
    assert sdpa["attention"] == "sdpa"
    assert "flash-attn" not in sdpa
    assert "attention" not in describe_environment("cpu")


def test_a_device_that_computes_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_flash_attn.install(monkeypatch)
    for attention in ("sdpa", "flash_attention_2"):
        state = run_kernels(CPU, attention)
        assert state.right, state
        assert min(state.matmul, state.attention) > 0  # bfloat16 does round


@pytest.mark.parametrize(
    "state", [(0.2, 0.0), (0.0, 0.2), (float("nan"), 0.0), (0.0, float("nan"))]
)
def test_a_device_that_is_off_is_not_right(state: tuple[float, float]) -> None:
    assert not KernelState(*state).right


def test_attention_without_its_scale_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe's shape tells kernels that take another scale or layout."""

    def wrong(*arguments: torch.Tensor, **_: object) -> torch.Tensor:
        return fake_flash_attn.flash_attn_func(*arguments, softmax_scale=1.0)

    monkeypatch.setattr(fake_flash_attn.install(monkeypatch), "flash_attn_func", wrong)
    assert not run_kernels(CPU, "flash_attention_2").right
    rows = torch.ones(1, 1, 2, 4)
    assert attend(rows, rows, rows, scale=1.0, attention=None).equal(rows)
