"""An artefact is whole or absent whatever happens while it is published: a kill, a full disk."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lynx.artifacts.manifest import MANIFEST_NAME, RESTORED_NAME, read_manifest
from lynx.artifacts.publish import publishing
from lynx.artifacts.verify import require_stage, verify_files
from lynx.errors import InputError
from tests.fault.disk_faults import kill, refusing, struck

FILES = ("tables/train.jsonl", "tables/val.jsonl", "index.json")


def publish(target: Path, text: str) -> None:
    with publishing(
        target,
        stage="data",
        version=1,
        settings={"text": text},
        parents=(),
        seed=0,
        device="cpu",
    ) as draft:
        (draft.folder / "tables").mkdir()
        for name in FILES:
            (draft.folder / name).write_text(f"{name} {text}\n", encoding="utf-8")
        draft.counts["files"] = len(FILES)


def readable(target: Path) -> str | None:
    """Which artefact a later stage would read at `target`; None, with its sentence, if none."""
    if not (target / MANIFEST_NAME).exists():
        with pytest.raises(InputError) as caught:
            require_stage(target, "data")
        place = target / MANIFEST_NAME if target.is_dir() else target
        assert str(caught.value) == (
            f"{place}: no manifest, so the artefact is absent or was never finished; run the rule "
            "that makes it"
        )
        return None
    text = require_stage(target, "data").settings["text"]
    assert isinstance(text, str)
    verify_files(target, deep=True)
    for name in FILES:
        assert (target / name).read_text(encoding="utf-8") == f"{name} {text}\n"
    assert {path.name for path in target.iterdir()} == {"tables", "index.json", "manifest.json"}
    return text


def strike_everywhere(
    folder: Path, act: Callable[[str], None], *, older: bool
) -> list[tuple[str, str | None]]:
    """Publish over and over, struck one change later each time, until nothing was left to strike.

    After each strike the same work is done again and must succeed without leaving a trace.
    """
    seen = []
    for at in range(1, 200):
        target = folder / str(at) / "artefact"
        if older:
            publish(target, "old")
        said = struck(lambda: publish(target, "new"), folder, at, act)  # noqa: B023
        seen.append((said, readable(target)))
        publish(target, "new")
        assert readable(target) == "new"
        assert [path.name for path in target.parent.iterdir()] == ["artefact"], f"after {at}"
        if said == "done":
            return seen
    raise AssertionError("there was always one more change to strike")


@pytest.mark.parametrize("older", [False, True], ids=["first", "replacing"])
def test_a_kill_leaves_no_half_artefact(tmp_path: Path, older: bool) -> None:
    seen = strike_everywhere(tmp_path, kill, older=older)
    *struck_runs, last = seen
    assert last == ("done", "new")
    assert len(struck_runs) >= 10, "mkdir, three files, manifest, flushes, rename"
    assert {said for said, _ in struck_runs} == {"killed"}
    held = [found for _, found in struck_runs]
    allowed = ["old", None, "new"] if older else [None, "new"]
    assert held == sorted(held, key=allowed.index), "old, then none, then new: never back"
    assert held[0] == allowed[0]


@pytest.mark.parametrize("older", [False, True], ids=["first", "replacing"])
@pytest.mark.parametrize(
    ("code", "reason"),
    [(errno.ENOSPC, "No space left on device"), (errno.EIO, "Input/output error")],
    ids=["full", "broken"],
)
def test_a_disk_that_takes_nothing_is_told_and_loses_nothing(
    tmp_path: Path, code: int, reason: str, older: bool
) -> None:
    seen = strike_everywhere(tmp_path, refusing(code), older=older)
    *struck_runs, last = seen
    assert last[1] == "new"
    assert len(struck_runs) >= 10
    for at, (said, found) in enumerate(struck_runs, start=1):
        target = tmp_path / str(at) / "artefact"
        if said == "done":  # only what takes no space was left: removing the older artefact
            assert found == "new"
            continue
        assert said == (
            f"{target}: not published, {reason}; nothing was lost: free space or "
            "mend the disk and run the same command again"
        )
        assert found in ({"old", None, "new"} if older else {None, "new"}), f"after {at}"
    assert [found for _, found in struck_runs[:5]] == ["old" if older else None] * 5


def publish_half(target: Path) -> None:
    with publishing(
        target, stage="data", version=1, settings={}, parents=(), seed=0, device="cpu"
    ) as draft:
        (draft.folder / "half.json").write_text("{", encoding="utf-8")
        raise KeyboardInterrupt


def test_a_failed_producer_leaves_the_older_artefact(tmp_path: Path) -> None:
    target = tmp_path / "artefact"
    publish(target, "old")
    before = read_manifest(target)
    with pytest.raises(KeyboardInterrupt):
        publish_half(target)
    assert read_manifest(target) == before
    assert readable(target) == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["artefact"]


def test_files_made_again_below_a_restored_manifest_leave_it_as_it_is(tmp_path: Path) -> None:
    """`lynx restore` brings no licensed files, only what they must hash to."""
    target = tmp_path / "data"
    publish(target, "old")
    manifest = target / MANIFEST_NAME
    restored = manifest.read_text(encoding="utf-8").replace(
        '"git', '"of another machine": "", "git'
    )
    for text, name, kept in (
        ("old", MANIFEST_NAME, True),
        ("new", MANIFEST_NAME, False),
        ("old", RESTORED_NAME, True),  # Snakemake deletes a manifest that it has made again
        ("new", RESTORED_NAME, False),
    ):
        shutil.rmtree(target)
        target.mkdir()
        (target / name).write_text(restored, encoding="utf-8")
        publish(target, text)
        assert ("of another machine" in manifest.read_text(encoding="utf-8")) is kept
        assert readable(target) == text


def test_files_made_again_beside_others_get_a_manifest_of_their_own(tmp_path: Path) -> None:
    target = tmp_path / "data"
    publish(target, "old")
    manifest = target / MANIFEST_NAME
    whole = manifest.read_text(encoding="utf-8")
    manifest.write_text(whole.replace('"git', '"edited": "", "git'), encoding="utf-8")
    publish(target, "old")
    assert "edited" not in manifest.read_text(encoding="utf-8")
