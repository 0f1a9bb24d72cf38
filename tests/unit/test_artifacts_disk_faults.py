"""A full, failing or read-only disk while an artefact is published: one sentence, nothing lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from safetensors import SafetensorError

from lynx.artifacts import publish
from lynx.artifacts.publish import Draft, publishing, write_atomic
from lynx.artifacts.verify import verify_files
from lynx.errors import InputError

ADVICE = "nothing was lost: free space or mend the disk and run the same command again"
OPEN_IT = "nothing was lost: change its permissions or its mount and run the same command again"


def drafting(target: Path) -> AbstractContextManager[Draft]:
    return publishing(
        target, stage="world", version=1, settings={}, parents=(), seed=None, device="cpu"
    )


def publish_text(target: Path, text: str) -> None:
    with drafting(target) as draft:
        (draft.folder / "file.txt").write_text(text, encoding="utf-8")


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """A published artefact; after the test it must stand whole, with nothing left beside it."""
    folder = tmp_path / "world"
    publish_text(folder, "old")
    yield folder
    assert (folder / "file.txt").read_text(encoding="utf-8") == "old"
    assert len(verify_files(folder, deep=True).files) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["world"]


def sentence(number: int, target: Path) -> str:
    if number == errno.EROFS:
        return (
            f"{target}: not published, {os.strerror(number)} at {target}, expected a place that "
            f"may be written; {OPEN_IT}"
        )
    return f"{target}: not published, {os.strerror(number)}; {ADVICE}"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk(target: Path) -> None:
    """The kernel's own ENOSPC, met by the stage while it writes."""
    with pytest.raises(InputError) as caught, drafting(target):
        Path("/dev/full").write_text("new", encoding="utf-8")
    assert str(caught.value) == (
        f"{target}: not published, No space left on device; nothing was lost: "
        "free space or mend the disk and run the same command again"
    )


def test_a_full_disk_as_safetensors_says_it(target: Path) -> None:
    """safetensors gives the system's error as text in an error of its own."""
    text = "Error while serializing: I/O error: No space left on device (os error 28)"
    with pytest.raises(InputError) as caught, drafting(target):
        raise SafetensorError(text)
    assert str(caught.value) == sentence(errno.ENOSPC, target)


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_failing_disk(
    target: Path, monkeypatch: pytest.MonkeyPatch, number: int, step: str
) -> None:
    """While the draft is flushed, and when the new folder takes the old one's place."""
    real = os.rename

    def fail(*paths: Path) -> None:
        if step == "rename" and not paths[0].name.endswith(".draft"):
            return real(*paths)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(publish.os, step, fail)
    with pytest.raises(InputError) as caught:
        publish_text(target, "new")
    assert str(caught.value) == sentence(number, target)


def test_other_errors_are_told_as_themselves(target: Path) -> None:
    """A missing input or a damaged tensor file is no fault of the disk."""
    with pytest.raises(FileNotFoundError), drafting(target):
        Path("absent").read_bytes()
    with pytest.raises(SafetensorError, match=r"^invalid header$"), drafting(target):
        raise SafetensorError("invalid header")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
@pytest.mark.parametrize("name", ["", "..", "../.world.draft/file.txt"])
def test_a_place_that_may_not_be_written(target: Path, number: int, name: str) -> None:
    """The target, a folder above it, or what is written beside it."""
    place = Path(os.path.normpath(target / name))
    with pytest.raises(InputError) as caught, drafting(target):
        raise OSError(number, os.strerror(number), str(place))
    assert str(caught.value) == (
        f"{target}: not published, {os.strerror(number)} at {place}, expected a place that may be "
        f"written; {OPEN_IT}"
    )


@pytest.mark.parametrize("name", ["other/file.txt", None])
def test_an_input_that_may_not_be_read_is_told_as_itself(target: Path, name: str | None) -> None:
    place = None if name is None else str(target.parent / name)
    with pytest.raises(PermissionError), drafting(target):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), place)


def test_the_manifest_comes_with_the_folder(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up with the manifest must not leave the new files without one."""

    def full(manifest: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(publish, "dump_manifest", full)
    with pytest.raises(InputError) as caught:
        publish_text(target, "new")
    assert str(caught.value) == sentence(errno.ENOSPC, target)


def test_a_small_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`write_atomic`: the old text stands, the file beside is gone."""
    path = tmp_path / "metrics.json"
    write_atomic(path, "old")

    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(publish.os, "fsync", fail)
    with pytest.raises(InputError) as caught:
        write_atomic(path, "new")
    assert str(caught.value) == sentence(errno.ENOSPC, path)
    assert path.read_text(encoding="utf-8") == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["metrics.json"]
