"""Variants with an alignment of their own, run whole on a tiny project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lynx.artifacts.verify import require_stage
from lynx.errors import InputError
from lynx.evaluate.ask import Trained
from lynx.evaluate.stage import run_predict
from lynx.model.adapters import read_adapter
from tests.project_copy import copy_project, load, run_chain, tiny_project

RANK_3 = "\nrank-3:\n  x: aligned\n  sft: true\n  recipe: {align.lora.rank: 3}\n"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tiny_project(tmp_path_factory.mktemp("variants") / "project")
    path = root / "config/variants.yaml"
    path.write_text(path.read_text(encoding="utf-8") + RANK_3, encoding="utf-8")
    run_chain(root, ("lynx", "rank-3", "no-moments"))
    return root


def test_each_adapter_has_its_own_numbers(ran: Path) -> None:
    ranks = {
        name: read_adapter(ran / f"runs/demo/align/{name}/seed0/vision")[0].rank
        for name in ("3d", "3d-rank-3", "3d-no-moments")
    }
    assert ranks == {"3d": 2, "3d-rank-3": 3, "3d-no-moments": 2}
    log = (ran / "runs/demo/align/3d-no-moments/seed0/training.jsonl").read_text(encoding="utf-8")
    for line in log.splitlines():
        record = json.loads(line)
        assert record["moments"] > 0
        assert record["loss"] == pytest.approx(record["attention"], rel=1e-6)


def test_each_run_reads_its_own_tokens(ran: Path) -> None:
    project = load(ran)
    layout = project.layout
    contents = set()
    for variant, own in {"lynx": None, "rank-3": "rank-3", "no-moments": "no-moments"}.items():
        folder = layout.features("scanqa", "train", "aligned", 0, own)
        contents.add(require_stage(folder, "features", deep=True).content)
        sft = require_stage(layout.sft(variant, "scanqa", 0), "sft", deep=True)
        assert folder.relative_to(ran).as_posix() in {entry.path for entry in sft.parents}
        trained = Trained.open(project, layout.sft(variant, "scanqa", 0))
        name = "3d" if own is None else f"3d-{own}"
        assert trained.vision(ran) == layout.align(name, 0) / "vision"
    assert len(contents) == 3


def of_another_alignment(root: Path, own: Path) -> str:
    """The sentence about what was made from lynx's alignment and stands at rank-3's place."""
    made, named = (
        require_stage(root / f"runs/demo/align/{name}/seed0", "align")
        for name in ("3d", "3d-rank-3")
    )
    return (
        f"{own}: made from align {made.identity[:12]} ({made.content[:12]}), but "
        f"{root}/runs/demo/align/3d-rank-3/seed0 is {named.identity[:12]} ({named.content[:12]}); "
        f"run the rule that makes {own} again"
    )


def test_another_variants_tokens_are_refused(ran: Path, tmp_path: Path) -> None:
    root = copy_project(ran, tmp_path / "project")
    project = load(root)
    layout = project.layout
    own = layout.features("scanqa", "test_w_obj", "aligned", 0, "rank-3")
    lynx = layout.features("scanqa", "test_w_obj", "aligned", 0)
    own.rename(own.with_name("kept"))
    lynx.rename(own)
    with pytest.raises(InputError) as caught:
        run_predict(project, "rank-3", "scanqa")
    assert str(caught.value) == of_another_alignment(root, own)


def test_another_variants_language_adapter_is_refused(ran: Path, tmp_path: Path) -> None:
    """Of settings that are equal, since the alignment is not among them; its X was another one."""
    root = copy_project(ran, tmp_path / "project")
    project = load(root)
    own, lynx = (project.layout.sft(variant, "scanqa", 0) for variant in ("rank-3", "lynx"))
    own.rename(own.with_name("kept"))
    lynx.rename(own)
    with pytest.raises(InputError) as caught:
        run_predict(project, "rank-3", "scanqa")
    assert str(caught.value) == of_another_alignment(root, own)
