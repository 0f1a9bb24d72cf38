from __future__ import annotations

from pathlib import Path

import pytest

from lynx.errors import InputError
from lynx.media.paths import safe_child


def test_plain_and_nested_names_are_joined() -> None:
    root = Path("/data/scans")
    assert safe_child(root, "scene0000_00") == root / "scene0000_00"
    assert safe_child(root, "train/clip 1.mp4") == root / "train" / "clip 1.mp4"
    assert safe_child(root, "a..b") == root / "a..b"


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/passwd", "", ".", "..", "a\\..\\x", "a\0b"]
)
def test_names_that_leave_the_root_are_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        safe_child(Path("/data/scans"), name)
    assert str(caught.value) == (
        f"name {name!r}: found a path that is not below its root /data/scans, expected a plain "
        "relative name such as scene0000_00; correct the annotation"
    )
