"""Geometry of the input space: closed forms against all pairs, and the stage that writes it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lynx.align.geometry import VectorSums, distance_between, distance_within, geometry
from lynx.align.measures import run_geometry, spread
from lynx.artifacts.sealed import content_of
from lynx.artifacts.verify import require_stage
from lynx.errors import InputError
from tests.command_line import Outcome
from tests.project_copy import load
from tests.tiny_model import native

DISTANCES = ("vocab_vocab", "frame_frame", "vocab_frame")


def sums(rows: torch.Tensor) -> VectorSums:
    found = VectorSums.empty(rows.shape[1])
    found.add(rows)
    return found


def cosine_distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return 1 - float(torch.nn.functional.cosine_similarity(one.double(), other.double(), dim=0))


def normal(*shape: int, seed: int) -> torch.Tensor:
    """Vectors that are neither of one length nor around the origin."""
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return (drawn + 0.5) * torch.arange(1, shape[0] + 1)[:, None]


def test_closed_forms_are_the_means_over_all_pairs() -> None:
    words, frames = normal(9, 5, seed=1), normal(7, 5, seed=2)
    pairs = [(i, j) for i in range(9) for j in range(9) if i != j]
    within = sum(cosine_distance(words[i], words[j]) for i, j in pairs) / len(pairs)
    between = sum(cosine_distance(a, b) for a in words for b in frames) / (9 * 7)
    assert distance_within(sums(words)) == pytest.approx(within, abs=1e-12)
    assert distance_between(sums(words), sums(frames)) == pytest.approx(between, abs=1e-12)
    found = geometry(sums(words), sums(frames))
    assert (found.vocab_vocab, found.vocab_frame) == (
        pytest.approx(within, abs=1e-12),
        pytest.approx(between, abs=1e-12),
    )
    means = words.double().mean(dim=0), frames.double().mean(dim=0)
    assert found.vocab_mean_norm == pytest.approx(float(means[0].norm()), rel=1e-12)
    assert found.frame_mean_norm == pytest.approx(float(means[1].norm()), rel=1e-12)
    assert found.gap == pytest.approx(cosine_distance(*means), abs=1e-12)


def test_rows_may_come_in_any_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = normal(11, 4, seed=3)
    whole = sums(rows)
    monkeypatch.setattr("lynx.align.geometry.ROWS_AT_ONCE", 3)
    parts = VectorSums.empty(4)
    parts.add(rows[:4])
    parts.add(rows[4:])
    assert (parts.count, parts.zeros) == (11, 0)
    torch.testing.assert_close(parts.total, whole.total, rtol=1e-12, atol=0.0)
    torch.testing.assert_close(parts.directions, whole.directions, rtol=1e-12, atol=1e-12)


def test_hand_made_vectors() -> None:
    """Two right angles and one straight line: distances 1, 1 and 2, each of two ordered pairs."""
    words = torch.tensor([[3.0, 0.0], [0.0, 2.0], [-1.0, 0.0]])
    frames = torch.tensor([[0.0, 5.0], [0.0, 7.0]])
    found = geometry(sums(words), sums(frames))
    assert found.vocab_vocab == pytest.approx(4 / 3)
    assert found.frame_frame == pytest.approx(0.0, abs=1e-15)
    assert found.vocab_frame == pytest.approx(2 / 3)
    assert found.vocab_mean_norm == pytest.approx(math.hypot(2 / 3, 2 / 3))
    assert found.frame_mean_norm == pytest.approx(6.0)
    assert found.gap == pytest.approx(1 - math.sqrt(0.5))
    longer = geometry(sums(words * 10), sums(frames * 0.1))
    assert longer.gap == pytest.approx(found.gap)
    assert longer.frame_mean_norm == pytest.approx(0.6)


def test_a_zero_vector_is_counted_and_left_out() -> None:
    rows = normal(4, 3, seed=4)
    found = sums(torch.cat([rows[:2], torch.zeros(2, 3), rows[2:]]))
    assert (found.count, found.zeros) == (4, 2)
    torch.testing.assert_close(found.mean, rows.double().mean(dim=0))
    assert distance_within(found) == pytest.approx(distance_within(sums(rows)))


def test_one_frame_has_no_pair() -> None:
    with pytest.raises(InputError) as caught:
        geometry(sums(normal(3, 2, seed=5)), sums(normal(1, 2, seed=6)))
    assert str(caught.value) == (
        "geometry: the number of frames other than zero is 1, expected 2 or more; check the base "
        "model's weights and that the training splits have clips"
    )


def test_a_mean_of_zero_has_no_direction() -> None:
    opposite = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    with pytest.raises(InputError) as caught:
        geometry(sums(opposite), sums(torch.tensor([[3.0, 4.0], [3.0, 4.0]])))
    assert str(caught.value) == (
        "geometry: the mean word embedding is 0.0 long and the mean frame token 5.0, expected "
        "directions to compare; check the base model's weights"
    )


def test_items_are_spread_over_all_of_them() -> None:
    assert spread(list(range(10)), 4) == [0, 2, 5, 7]
    assert spread(list(range(3)), 4) == [0, 1, 2]
    assert spread([], 4) == []


def test_the_stage_measures_the_base(lynx: Callable[..., Outcome], root: Path) -> None:
    """Against the library's own embeddings and the reference's own mean of the same frames."""
    assert lynx("geometry").code == 0
    report = json.loads((root / "results/demo/geometry.json").read_text(encoding="utf-8"))
    assert report["content"] == content_of(report)
    assert (report["stage"], report["scale"], report["synthetic"]) == ("geometry", "demo", True)
    project = load(root)
    assert report["base"] == require_stage(project.layout.base, "base").content
    assert report["parents"] == {
        f"runs/demo/{name}": require_stage(root / "runs/demo" / name, stage).content
        for name, stage in {
            "frames/3d": "frames",
            "data/scanqa": "data",
            "data/sqa3d": "data",
        }.items()
    }
    verified = lynx("verify", "--deep", "results/demo/geometry.json")
    assert (verified.code, verified.err) == (0, "")
    assert verified.out.splitlines()[-1] == "6 artefacts, 0 problems"
    model = native(root / "models/demo")
    words = model.get_input_embeddings().weight.detach()
    assert report["vocab_vocab"] == pytest.approx(distance_within(sums(words)), abs=1e-9)
    assert report["vocab_mean_norm"] == pytest.approx(float(words.mean(dim=0).norm()), rel=1e-5)
    reference = require_stage(project.layout.reference("3d"), "reference")
    counts = report["counts"]
    assert counts["vocabulary"] == len(words)
    assert counts["items"] == reference.counts["clips"]
    assert counts["frames"] == reference.counts["frames"]
    # The reference's mean is over the same tokens and a newline for each clip.
    tokens, clips = 16 * counts["frames"], reference.counts["clips"]
    kept = load_file(project.layout.reference("3d") / "reference.safetensors")["token_mean"]
    newline = model.model.image_newline.detach()
    mean = (kept.double() * (tokens + clips) - newline.double() * clips) / tokens
    assert report["frame_mean_norm"] == pytest.approx(float(mean.norm()), rel=1e-5)
    assert report["gap"] == pytest.approx(cosine_distance(words.mean(dim=0), mean), abs=1e-5)
    assert all(0 < report[name] < 2 for name in DISTANCES)


def test_a_base_that_is_not_finite_gives_no_result(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "lynx.align.measures.clip_tokens",
        lambda base, pixels, frame_chunk: torch.full(
            (1, pixels.shape[1], 16, base.info.text_width), torch.nan
        ),
    )
    with pytest.raises(InputError) as caught:
        run_geometry(load(root))
    path = root / "results/demo/geometry.json"
    assert str(caught.value) == (
        f"{path}: frame_frame would be nan, expected a finite number; check the weights of the "
        "base model and the references made with it"
    )
    assert not path.exists()
