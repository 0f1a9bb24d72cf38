from __future__ import annotations

from pathlib import Path

import pytest

from lynx.benchmarks.annotation import Annotation
from lynx.benchmarks.clip_files import require_clip_files
from lynx.errors import InputError


def _annotation(**clips: tuple[str, ...]) -> Annotation:
    return Annotation(samples=[], dropped={}, files=[], clip_files=clips)


def test_files_that_are_there_pass(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.mp4").write_bytes(b"")
    (tmp_path / "b.mp4").write_bytes(b"")
    assert require_clip_files(_annotation(a=("sub/a.mp4", "b.mp4")), tmp_path) == ()
    assert require_clip_files(_annotation(), tmp_path) == ()


def test_files_that_are_gone_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    (tmp_path / "d.mp4").mkdir()  # a folder is no video
    annotation = _annotation(
        a=("a.mp4",), b=("a.mp4", "b1.mp4", "b2.mp4"), c=("a.mp4",), d=("d.mp4",)
    )
    with pytest.raises(InputError) as caught:
        require_clip_files(annotation, tmp_path, allow_missing=0.49)
    assert str(caught.value) == (
        f"{tmp_path}/b1.mp4: file not found, expected it because it shows clip 'b' (3 files are "
        "gone, of 2 of 4 clips), and at most the share allow_missing = 0.49 of the clips may lack "
        "one; get the missing files, correct the mapping or raise allow_missing"
    )
    assert require_clip_files(annotation, tmp_path, allow_missing=0.5) == ("b", "d")


def test_a_file_cannot_leave_the_media_root(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not below its root"):
        require_clip_files(_annotation(a=("../a.mp4",)), tmp_path, allow_missing=1.0)
