"""Method section 10, checks 10 and 13: query positions and the moment term."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from lynx.align.losses import moment_loss, query_positions
from tests.tiny_model import random_pixels


def test_query_positions() -> None:
    """Check 10: 196 of 729, first 0, 2, 4, the 15th is 54, the last 728."""
    positions = query_positions(27, 2)
    assert positions.shape == (196,)
    assert positions[:3].tolist() == [0, 2, 4]
    assert int(positions[14]) == 54
    assert int(positions[-1]) == 728
    assert len(set(positions.tolist())) == 196


def test_moment_loss_vanishes_only_when_both_match() -> None:
    """Check 13: L_stat = 0 if and only if mean and population variance match."""
    rows = random_pixels(500, 48)
    mean, var = rows.mean(dim=0), rows.var(dim=0, unbiased=False)
    assert float(moment_loss(rows, mean, var)) <= 1e-6
    one = F.one_hot(torch.tensor(3), 48)
    assert float(moment_loss(rows, mean + one, var)) == pytest.approx(1.0)
    assert float(moment_loss(rows, mean, var + one)) == pytest.approx(1.0)


@pytest.mark.parametrize("shift", [0.5, -2.0])
def test_moment_loss_of_a_shift(shift: float) -> None:
    """Check 13: shifting all channels by c makes the first term |c| sqrt(D), the second stays 0."""
    rows = random_pixels(500, 48)
    mean, var = rows.mean(dim=0), rows.var(dim=0, unbiased=False)
    loss = float(moment_loss(rows + shift, mean, var))
    assert loss == pytest.approx(abs(shift) * math.sqrt(48), abs=1e-5)
    assert float(moment_loss(rows + shift, mean + shift, var)) == pytest.approx(0.0, abs=1e-5)


def test_moment_loss_is_two_plain_norms() -> None:
    """Check 13: neither squared nor divided by D; scaling rows by 2 makes variances 4-fold."""
    rows = random_pixels(500, 48)
    mean, var = rows.mean(dim=0), rows.var(dim=0, unbiased=False)
    expected = math.sqrt(float((mean**2).sum())) + math.sqrt(float(((3 * var) ** 2).sum()))
    assert float(moment_loss(2 * rows, mean, var)) == pytest.approx(expected, rel=1e-5)
