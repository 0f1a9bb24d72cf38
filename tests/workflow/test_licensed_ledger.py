"""The ledger of a lab with licensed raw data: none of it is pushed; a clone knows what it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lynx.ledger.recorded import md5_of
from tests.workflow.ledger_lab import Lab, found_lab

pytestmark = pytest.mark.slow
RAW = Path("licensed")
SITE = {name: f"{RAW}/{name}" for name in ("scannet", "scanqa", "sqa3d")}
DATA, FRAMES = Path("runs/demo/data/scanqa"), Path("runs/demo/frames/3d")


@pytest.fixture(scope="module")
def recorded(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab whose tables and frames were made from raw data of its own, recorded and pushed."""
    folder = tmp_path_factory.mktemp("licensed")
    lab = found_lab(folder / "a lab", folder / "site", SITE)
    shutil.copytree(finished / "runs/demo/world/rooms", lab.root / RAW)
    (lab.root / ".git/info/exclude").write_text(f"/{RAW}/\n", encoding="utf-8")
    lab.make(FRAMES)
    lab.lynx("ledger", "record")
    lab.save("tables and frames")
    lab.dvc("remote", "add", "-d", "store", str(folder / "store"))
    lab.dvc("push", "-q")
    lab.git("commit", "-q", "-m", "where the bytes are", ".dvc/config")
    return lab


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_no_raw_byte_is_in_cache_or_remote(recorded: Lab) -> None:
    """By md5, which is what both name their objects by: of raw files, tables and frames."""
    root = recorded.root
    made = [path for path in files_below(root / "runs") if path.name != "manifest.json"]
    licensed = {md5_of(path) for path in (*files_below(root / RAW), *made)}
    manifests = {md5_of(path) for path in (root / "runs").rglob("manifest.json")}
    assert len(licensed) > 50
    for place in (root / ".dvc/cache/files/md5", root.parent / "store/files/md5"):
        kept = {path.parent.name + path.name for path in files_below(place)}
        assert kept == manifests
        assert not kept & licensed


def test_a_clone_verifies_and_makes_the_files_again_under_their_inventories(
    recorded: Lab, tmp_path: Path
) -> None:
    other = recorded.clone(tmp_path / "other")
    other.lynx("restore")
    said = other.lynx("verify", "--deep", str(FRAMES)).splitlines()
    assert said[-1] == (
        "3 artefacts, 0 problems; of 3 the raw files are not here, only their inventories"
    )
    shutil.copytree(recorded.root / RAW, other.root / RAW)
    for stage, folder in (("data", DATA), ("frames", FRAMES)):
        before = (other.root / folder / "manifest.json").read_bytes()
        other.make(folder, "--forcerun", stage)
        assert (other.root / folder / "manifest.json").read_bytes() == before
    said = other.lynx("verify", "--deep", str(FRAMES)).splitlines()
    assert f"{DATA}: data, 2 files as published" in said
    assert said[-1] == "3 artefacts, 0 problems"
