"""References of several groups pooled into one, as if one builder had seen all their clips."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lynx.align import stage as align_stage
from lynx.align.losses import Reference
from lynx.align.reference import Counted, ReferenceBuilder, load_reference, pool
from lynx.align.stage import run_align
from lynx.artifacts.verify import require_stage
from lynx.model.base import Base
from tests.project_copy import load, run_two_groups, two_group_project
from tests.tiny_model import CPU, open_base, random_pixels


def built(base: Base, *clips: torch.Tensor) -> ReferenceBuilder:
    builder = ReferenceBuilder(base.info)
    for pixels in clips:
        builder.add(base, pixels, frame_chunk=4)
    return builder


def stored(builder: ReferenceBuilder, base: Base, folder: Path) -> Counted:
    folder.mkdir()
    builder.save(folder)
    rows = builder.frames * base.info.tokens_per_frame + builder.clips
    assert rows == builder.moments.count
    return Counted(load_reference(folder, base.info, CPU), rows, builder.frames)


def assert_close(found: Reference, wanted: Reference) -> None:
    """Up to the rounding of the files: float32 moments, float16 keys and values."""
    assert (found.keys.dtype, found.token_mean.dtype) == (torch.float16, torch.float32)
    torch.testing.assert_close(found.token_mean, wanted.token_mean, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.token_var, wanted.token_var, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.keys.float(), wanted.keys.float(), rtol=2e-3, atol=1e-3)
    torch.testing.assert_close(found.values.float(), wanted.values.float(), rtol=2e-3, atol=1e-3)


def test_pooling_is_one_pass_over_all_clips(tiny_base: Path, tmp_path: Path) -> None:
    """Method section 3; clips of 6 frames and of 2, three times as many frames in one part."""
    base = open_base(tiny_base)
    long = [random_pixels(1, 6, 3, 42, 42, seed=seed) for seed in (1, 2)]
    short = [random_pixels(1, 2, 3, 42, 42, seed=seed) + 1.0 for seed in (3, 4)]
    parts = [
        stored(built(base, *clips), base, tmp_path / name)
        for name, clips in {"long": long, "short": short}.items()
    ]
    whole = stored(built(base, *long, *short), base, tmp_path / "whole").reference
    assert_close(pool(parts), whole)
    assert_close(pool(parts[::-1]), whole)
    halved = pool([parts[0], Counted(parts[1].reference, parts[0].rows, parts[0].frames)])
    assert float((halved.token_mean - whole.token_mean).abs().max()) > 1e-3
    assert float((halved.keys.float() - whole.keys.float()).abs().max()) > 1e-2


def test_one_reference_stays_as_it_is(tiny_base: Path, tmp_path: Path) -> None:
    base = open_base(tiny_base)
    part = stored(built(base, random_pixels(1, 2, 3, 42, 42)), base, tmp_path / "one")
    assert pool([part]) is part.reference


@pytest.fixture
def two_groups(tmp_path: Path) -> Path:
    """A project of two groups; nothing of it has been run."""
    return two_group_project(tmp_path / "project")


def test_an_alignment_meets_the_references_of_several_groups(
    two_groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = load(two_groups)
    assert project.experiment.alignments["3d-reference-3d"].references == ("3d", "other")
    run_two_groups(project)
    pooled: list[list[Counted]] = []
    monkeypatch.setattr(align_stage, "pool", lambda parts: pooled.append(parts) or pool(parts))
    run_align(project, "3d-reference-3d")
    counts = [
        require_stage(project.layout.reference(g), "reference").counts for g in ("3d", "other")
    ]
    assert [item["frames"] // item["clips"] for item in counts] == [4, 2]
    tokens = 16  # the tiny base has 7 x 7 patches
    assert [(part.frames, part.rows) for part in pooled[0]] == [
        (item["frames"], item["frames"] * tokens + item["clips"]) for item in counts
    ]
    manifest = require_stage(project.layout.align("3d-reference-3d", 0), "align")
    assert manifest.settings["references"] == ["3d", "other"]
    parents = [Path(entry.path).name for entry in manifest.parents if entry.stage == "reference"]
    assert parents == ["3d", "other"]
