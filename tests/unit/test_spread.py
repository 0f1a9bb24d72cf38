"""A figure over seeds."""

from __future__ import annotations

import pytest

from lynx.report.spread import Spread


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.5,), "50.0"),
        ((0.5, 0.7), "60.0 ± 14.1"),
        ((0.25, 0.25, 0.25), "25.0 ± 0.0"),
    ],
)
def test_a_deviation_takes_two_seeds(values: tuple[float, ...], text: str) -> None:
    assert Spread(values).text(factor=100) == text


def test_a_value_is_beyond_one_deviation() -> None:
    spread = Spread((1.0, 2.0, 3.0))
    assert spread.text(digits=2) == "2.00 ± 1.00"
    assert (spread.is_beyond(3.0), spread.is_beyond(3.01), spread.is_beyond(0.9)) == (
        False,
        True,
        True,
    )
    assert Spread((1.0,)).is_beyond(9.0) is None
