"""Which runs are taken together as seeds of one, and what is said of those that are all alike."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lynx.errors import InputError
from lynx.report.paper.files import write_tables
from lynx.report.paper.grid import DIFFERENCE_LEGEND, SPREAD_LEGEND, UNTRAINED_LEGEND
from lynx.report.runs import RENDERED
from lynx.report.seeds import read_seeds, write_seeds
from tests.project_copy import load
from tests.unit.paper_grids import after, grid, row, tables
from tests.unit.scores import bare_project, write_score

VIEW = {"frames": 4, "sampling": "pose", "drawing": {"modality": "depth"}}
MORE = VIEW | {"frames": 8}
NEEDS = {"needs": {"depth": {"em": 0.5}}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return bare_project(tmp_path / "project")


def seeds_of_scanqa(root: Path) -> object:
    return read_seeds(load(root), "scanqa")


def tuned(seed: int, **other: object) -> dict[str, Any]:
    return {"view": VIEW, "sft": {"seed": seed, "optimizer": {"epochs": 3, **other}}}


@pytest.mark.parametrize("read", [tables, seeds_of_scanqa])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recipe": "paper"}, 'recipe is "paper", but "demo"'),
        ({"split": "val"}, 'split is "val", but "test"'),
        ({"data": "5e" * 32}, f'data is "{"5e" * 32}", but "{"4d" * 32}"'),
        (
            {"parents": {"base": "5e" * 32, "sft": "3c" * 32}},
            f'parents.base is "{"5e" * 32}", but "{"2b" * 32}"',
        ),
        ({"settings": tuned(2) | {"view": MORE}}, "settings.view.frames is 8, but 4"),
        ({"settings": tuned(2, epochs=1)}, "settings.sft.optimizer.epochs is 1, but 3"),
        ({"ranks": {"vision": 8, "language": 32}}, "ranks.vision is 8, but 16"),
    ],
)
def test_seeds_that_differ_in_more_than_their_seed(
    root: Path, read: Callable[[Path], object], changes: dict[str, Any], said: str
) -> None:
    first = write_score(root, "scanqa", {"em": 0.2}, settings=tuned(0))
    changed = {"settings": tuned(2), **changes}
    write_score(root, "scanqa", {"em": 0.2}, seed=1, settings=tuned(1))
    other = write_score(root, "scanqa", {"em": 0.3}, seed=2, **changed)
    with pytest.raises(InputError) as raised:
        read(root)
    assert str(raised.value) == (
        f"{other}: {said} in {first}, expected seeds of one run that differ in their seed alone; "
        "make one of them again as the other was made, or delete it"
    )


def test_seeds_differ_in_what_was_trained_of_them(root: Path) -> None:
    """The adapters' hash, and the seed among the settings of the tuning."""
    for seed in range(2):
        parents = {"base": "2b" * 32, "sft": f"{seed}c" * 32}
        write_score(root, "scanqa", {"em": 0.2}, seed=seed, parents=parents, settings=tuned(seed))
    assert row(grid(root, "depth"), "ours: lynx, demo (2 seeds)")["EM@1"] == "20.0 ± 0.0"


def test_what_is_not_trained_has_no_deviation(root: Path) -> None:
    """Its seeds are equal because nothing depends on them, not because training varies little."""
    for seed in range(3):
        write_score(root, "scanqa", {"em": 0.2}, variant="zero-shot", seed=seed)
    found = grid(root, "depth")
    assert row(found, "ours: zero-shot, demo (3 seeds)")["EM@1"] == "20.0"
    assert after(found, "ours: zero-shot, demo")["EM@1"] == "+19.8¹"
    assert SPREAD_LEGEND not in found.notes[0]
    assert found.notes[0].endswith(UNTRAINED_LEGEND)
    write_tables(load(root))
    with (root / "results/tables/2-depth.csv").open(encoding="utf-8", newline="") as stream:
        (line,) = (
            line
            for line in csv.DictReader(stream)
            if (line["scale"], line["variant"], line["column"]) == ("demo", "zero-shot", "EM@1")
        )
    assert (line["deviation"], line["seeds"], line["beyond_deviation"]) == ("", "0 1 2", "")
    write_score(root, "scanqa", {"em": 0.3}, variant="zero-shot", seed=2)
    found = grid(root, "depth")
    assert row(found, "ours: zero-shot, demo")["EM@1"] == "23.3 ± 5.8", "they do differ: it shows"
    assert UNTRAINED_LEGEND not in found.notes[0]


def test_a_legend_says_what_its_table_needs(root: Path) -> None:
    assert not any(DIFFERENCE_LEGEND in note for note in grid(root, "depth").notes), "no run"
    write_score(root, "scanqa", {"em": 0.2})
    assert grid(root, "depth").notes[0] == (
        "Difference: ours less the published value; ¹ if one seed leaves it unknown."
    )
    write_score(root, "scanqa", {"em": 0.22}, seed=1)
    assert grid(root, "depth").notes[0] == (
        "Ours: mean ± sample standard deviation over seeds. Difference: ours less the published "
        "value; * if that lies more than one deviation away."
    )


def test_the_table_over_seeds_says_what_it_is_of(root: Path) -> None:
    for variant in ("lynx", "zero-shot"):
        for seed in range(2):
            values = {"em": 0.2 + 0.1 * seed * (variant == "lynx")}
            write_score(root, "scanqa", values, variant=variant, seed=seed, groups=NEEDS)
    write_seeds(load(root), "scanqa")
    text = (root / "results/tables/scanqa-seeds.md").read_text(encoding="utf-8")
    assert text.startswith(f"> **{RENDERED}**\n\nscanqa: ")
    assert "| lynx | 0, 1 | 25.0 ± 7.1 | 50.0 ± 0.0 |" in text
    assert "| zero-shot | 0, 1 | 20.0 | 50.0 |" in text
    assert "What is not trained is the same for every seed." in text


def test_real_runs_have_no_banner(root: Path) -> None:
    project = load(root)
    write_score(root, "scanqa", {"em": 0.2}, groups=NEEDS, synthetic=False)
    rendered = write_score(root, "sqa3d", {"em": 0.2})
    write_seeds(project, "scanqa")
    folder = root / "results/tables"
    assert RENDERED not in (folder / "scanqa-seeds.md").read_text(encoding="utf-8")
    assert "not trained" not in (folder / "scanqa-seeds.md").read_text(encoding="utf-8")
    write_tables(project)
    for page in ("runs.md", "runs.html"):
        assert RENDERED in (folder / page).read_text(encoding="utf-8"), "sqa3d is of the demo"
    rendered.unlink()
    write_tables(project)
    for page in ("runs.md", "runs.html"):
        assert RENDERED not in (folder / page).read_text(encoding="utf-8")
