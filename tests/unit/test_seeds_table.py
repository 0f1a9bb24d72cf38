from __future__ import annotations

import pytest

from lynx.report.seeds import Spread


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.5,), "50.0"),
        ((0.5, 0.7), "60.0 ± 14.1"),
        ((0.25, 0.25, 0.25), "25.0 ± 0.0"),
    ],
)
def test_a_deviation_takes_two_seeds(values: tuple[float, ...], text: str) -> None:
    assert Spread(values).text() == text
