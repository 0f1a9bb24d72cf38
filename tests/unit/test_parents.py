"""Which of its parents an artefact is held against: several may be of one stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from lynx.artifacts.lineage import aligned_with, lineage
from lynx.artifacts.manifest import Manifest, ParentEntry, parent_entry
from lynx.artifacts.publish import publishing
from lynx.artifacts.verify import require_parent, require_recorded, require_stage
from lynx.errors import InputError

CHILD = Path("runs/demo/predictions")


def publish(root: Path, folder: str, stage: str, text: str = "", *parents: str) -> ParentEntry:
    """An artefact whose parents are named from the root, as a manifest names them."""
    entries = [parent_entry(root / each).model_copy(update={"path": each}) for each in parents]
    with publishing(
        root / folder,
        stage=stage,
        version=1,
        settings={"folder": folder},
        parents=entries,
        seed=0,
        device="cpu",
    ) as draft:
        (draft.folder / "file.txt").write_text(text or folder, encoding="utf-8")
    return parent_entry(root / folder)


@pytest.fixture
def child(tmp_path: Path) -> Manifest:
    """Predictions with two tables."""
    for name in ("other", "own"):
        publish(tmp_path, f"runs/demo/data/{name}", "data")
    publish(tmp_path, "runs/demo/base", "base")
    tables = ("runs/demo/data/other", "runs/demo/data/own")
    publish(tmp_path, CHILD.as_posix(), "predict", "", *tables, "runs/demo/base")
    return require_stage(tmp_path / CHILD, "predict")


@pytest.mark.parametrize("name", ["other", "own"])
def test_any_parent_of_a_stage(tmp_path: Path, child: Manifest, name: str) -> None:
    folder = tmp_path / "runs/demo/data" / name
    require_parent(CHILD, child, parent_entry(folder))
    new = publish(tmp_path, f"runs/demo/data/{name}", "data", "made anew")
    (old,) = [each for each in child.parents if each.path.endswith(name)]
    with pytest.raises(InputError) as caught:
        require_parent(CHILD, child, new)
    assert str(caught.value) == (
        f"{CHILD}: made from data {old.identity[:12]} ({old.content[:12]}), but {folder} is "
        f"{new.identity[:12]} ({new.content[:12]}); run the rule that makes {CHILD} again"
    )


def test_the_content_of_one_table_at_the_place_of_the_other(
    tmp_path: Path, child: Manifest
) -> None:
    moved = parent_entry(tmp_path / "runs/demo/data/own")
    moved = moved.model_copy(update={"path": (tmp_path / "runs/demo/data/other").as_posix()})
    with pytest.raises(InputError, match=r"made from data .*, but .*/data/other is "):
        require_parent(CHILD, child, moved)


def test_a_parent_that_was_moved_is_the_same(tmp_path: Path, child: Manifest) -> None:
    (tmp_path / "runs/demo/base").rename(tmp_path / "elsewhere")
    require_parent(CHILD, child, parent_entry(tmp_path / "elsewhere"))


@pytest.mark.parametrize("stage", ["data", "reference"])
def test_no_such_parent(tmp_path: Path, child: Manifest, stage: str) -> None:
    third = publish(tmp_path, "runs/demo/third", stage)
    with pytest.raises(InputError) as caught:
        require_parent(CHILD, child, third)
    assert str(caught.value) == (
        f"{CHILD}: names no parent {tmp_path}/runs/demo/third of stage {stage}, expected "
        f"{third.identity[:12]}; run the rule that makes {CHILD} again"
    )


def test_a_recorded_parent(tmp_path: Path, child: Manifest) -> None:
    """Its manifest alone: what it holds may have gone."""
    *_, entry = child.parents
    (tmp_path / "runs/demo/base/file.txt").unlink()
    assert require_recorded(tmp_path, CHILD, entry).stage == "base"
    publish(tmp_path, "runs/demo/base", "base", "made anew")
    with pytest.raises(InputError, match=rf"^{CHILD}: made from base .* run the rule that makes"):
        require_recorded(tmp_path, CHILD, entry)


def test_a_parent_that_two_children_name_differently(tmp_path: Path) -> None:
    """The first one was encoded anew with it, the second one was not."""
    publish(tmp_path, "align", "align")
    publish(tmp_path, "train", "features", "", "align")
    publish(tmp_path, "align", "align", "made anew")
    publish(tmp_path, "test", "features", "", "align")
    publish(tmp_path, "answers", "predict", "", "test", "train")
    with pytest.raises(InputError, match=rf"^{tmp_path}/train: made from align "):
        lineage(tmp_path, tmp_path / "answers")


@pytest.fixture
def trained(tmp_path: Path) -> Manifest:
    """A language adapter, and what it was trained on: video, and X of an alignment."""
    publish(tmp_path, "align", "align")
    publish(tmp_path, "video", "features")
    publish(tmp_path, "aligned", "features", "", "align")
    publish(tmp_path, "sft", "sft", "", "video", "aligned")
    return require_stage(tmp_path / "sft", "sft")


def test_the_alignment_behind_a_language_adapter(tmp_path: Path, trained: Manifest) -> None:
    (align,) = aligned_with(tmp_path, tmp_path / "sft", trained)
    assert align == parent_entry(tmp_path / "align").model_copy(update={"path": "align"})


@pytest.mark.parametrize(
    ("anew", "child"),
    [(("align",), "aligned"), (("align", "aligned"), "sft"), (("video",), "sft")],
    ids=["alignment", "both", "video"],
)
def test_what_a_language_adapter_has_read_was_made_anew(
    tmp_path: Path, trained: Manifest, anew: tuple[str, ...], child: str
) -> None:
    for name in anew:
        stage = "align" if name == "align" else "features"
        publish(tmp_path, name, stage, "made anew", *(["align"] if name == "aligned" else []))
    with pytest.raises(InputError) as caught:
        list(aligned_with(tmp_path, tmp_path / "sft", trained))
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / child}: made from ")
    assert f", but {tmp_path / anew[-1]} is " in said


@pytest.mark.parametrize(
    ("name", "hashed"), [("index.jsonl", True), ("inventory.json", True), ("tokens.bin", False)]
)
def test_a_flipped_bit_in_a_table_is_found_by_every_reader(
    tmp_path: Path, name: str, hashed: bool
) -> None:
    """Tokens are hashed on request alone: they may be terabytes."""
    with publishing(
        tmp_path / "made",
        stage="features",
        version=1,
        settings={},
        parents=(),
        seed=0,
        device="cpu",
    ) as draft:
        (draft.folder / name).write_bytes(b"0")
    (tmp_path / "made" / name).write_bytes(b"1")
    if not hashed:
        require_stage(tmp_path / "made", "features")
    with pytest.raises(InputError, match=rf"^{tmp_path}/made/{name}: sha256 "):
        require_stage(tmp_path / "made", "features", deep=not hashed)
