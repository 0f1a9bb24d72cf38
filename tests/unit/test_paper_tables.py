"""The publication's tables with runs of ours: what stands where, and what is refused."""

from __future__ import annotations

import csv
import json
import math
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.errors import InputError
from lynx.report.paper.costs import spell
from lynx.report.paper.files import write_tables
from lynx.report.paper.formats import latex_text
from lynx.report.paper.grid import BANNER, grid_of
from lynx.report.seeds import read_seeds
from tests.command_line import call
from tests.project_copy import edit_yaml, load
from tests.unit.html_page import Page
from tests.unit.paper_grids import after, row, table, tables
from tests.unit.scores import bare_project, write_score

TABLES = "results/tables"
SCANQA = {"cider": 0.8, "bleu4": 0.1, "meteor": 0.2, "rouge_l": 0.4, "em_refined": 0.5}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return bare_project(tmp_path / "project")


def scored(root: Path) -> Path:
    """lynx on ScanQA over three seeds and on SQA3D with one, and a control."""
    for seed, em in enumerate((0.25, 0.26, 0.27)):
        write_score(root, "scanqa", {**SCANQA, "em": em}, seed=seed)
    write_score(root, "sqa3d", {"em": 0.5, "em_refined": 0.6})
    write_score(root, "scanqa", {**SCANQA, "em": 0.2}, variant="plain-tower")
    return root


def test_our_row_stands_under_its_counterpart(root: Path) -> None:
    grid = grid_of(table(scored(root), "depth"))
    labels = [row.label for row in grid.rows]
    index = labels.index("V-LynX-0.5B")
    assert labels[index + 1 : index + 3] == ["ours: lynx, demo (3 seeds)", "difference"]
    ours, difference = row(grid, "ours: lynx, demo"), after(grid, "ours: lynx, demo")
    assert (ours["EM@1"], difference["EM@1"]) == ("26.0 ± 1.0", "-0.4"), "26.4 is inside"
    assert (ours["EM@1 refined"], difference["EM@1 refined"]) == ("50.0 ± 0.0", "+5.8*")
    assert (ours["SQA3D EM@1"], difference["SQA3D EM@1"]) == ("50.0", "-2.2¹")
    assert (ours["ΔParams (M)"], difference["ΔParams (M)"]) == ("1.7", "-67.0")
    assert row(grid, "V-LynX-0.5B")["EM@1"] == "26.4"
    assert row(grid, "3D-LLM")["EM@1 refined"] == "-"
    assert grid.banner == BANNER


def test_a_cell_without_a_run_says_so(root: Path) -> None:
    grid = grid_of(table(scored(root), "depth"))
    assert set(row(grid, "ours: lynx, 7b").values()) == {"no run"}
    assert row(grid, "ours: plain-tower, demo")["SQA3D EM@1"] == "no run"
    assert row(grid, "ours: plain-tower, demo")["EM@1"] == "20.0"
    write_score(root, "music_avqa", {"substring_accuracy": 0.5})
    grid = grid_of(table(root, "audio"))
    assert row(grid, "ours: lynx, demo")["MUSIC-AVQA all"] == "50.0"
    assert row(grid, "ours: lynx, demo")["MUSIC-AVQA A"] == "no value", "no such question in it"
    assert row(grid, "ours: lynx, demo")["AVQA"] == "no run"
    nothing = grid_of(table(root, "fast"))
    assert set(row(nothing, "ours: lynx, 0.5b").values()) == {"no run"}
    assert nothing.banner == ""


def test_missing_seeds_are_named(root: Path) -> None:
    found = table(scored(root), "depth").missing
    assert found == (
        "seeds 1, 2 of lynx on sqa3d at demo",
        "seeds 1, 2 of plain-tower on scanqa at demo",
        "seeds 0, 1, 2 of plain-tower on sqa3d at demo",
    )
    write_score(root, "sqa3d", {"em": 0.5}, variant="plain-tower")
    write_score(root, "sqa3d", {"em": 0.5}, variant="zero-shot")
    write_score(root, "scanqa", SCANQA, variant="zero-shot")
    found = table(root, "depth").missing
    assert found[0] == "seeds 1, 2 of zero-shot, plain-tower on scanqa, sqa3d at demo"
    assert len(found) == 2, "those alike stand together"


def test_runs_of_no_table_are_named(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variant in ("lynx", "video-only"):
        write_score(root, "music_avqa_original", {"substring_accuracy": 0.5}, variant=variant)
    write_score(root, "music_avqa_original", {"substring_accuracy": 0.5}, scale="0.5b", seed=1)
    said_once = (
        "runs of music_avqa_original (lynx at 0.5b; lynx, video-only at demo) stand in no table of "
        "the publication"
    )
    assert tables(root).unplaced == (said_once,)
    write_score(root, "scanqa", {"em": 0.5})
    said = call(monkeypatch, capsys, "tables", "--root", str(root))
    assert said.out.splitlines()[-3:] == [
        said_once,
        "missing: seeds 1, 2 of lynx on scanqa at demo",
        "missing: seeds 0, 1, 2 of lynx on sqa3d at demo",
    ], "the command names what the files do not show"


def test_costs_count_what_is_shared_once(root: Path) -> None:
    """Two benchmarks stand in the row; both go back to the alignment of their seed."""
    costs = grid_of(table(scored(root), "depth")).costs
    assert costs is not None
    ours = row(costs, "ours: lynx, demo")
    assert ours["align"] == "2.0 h", "an hour on two processes"
    assert ours["sft"] == "40.0 min", "(4 x 900 s) x 2 over three seeds"
    assert ours["evaluation"] == "16.0 min", "(4 x 360 s) x 2 over three seeds"
    assert costs.notes[0].startswith("Device time of one seed (cpu, 1 threads): ")
    assert [spell(hours) for hours in (30, 1, 0.5, 1 / 60, 0.0014)] == [
        "30.0 h", "1.0 h", "30.0 min", "1.0 min", "5.0 s",
    ]  # fmt: skip
    assert (ours["features"], ours["visual tokens"], ours["peak (GB)"]) == ("-", "130", "2.0")


def test_parameters_without_a_count_are_no_zero(root: Path) -> None:
    write_score(root, "scanqa", {"em": 0.2}, parameters={})
    write_score(root, "scanqa", {"em": 0.2}, variant="zero-shot")
    grid = grid_of(table(root, "depth"))
    assert row(grid, "ours: lynx, demo")["ΔParams (M)"] == "no value"
    assert row(grid, "ours: zero-shot, demo")["ΔParams (M)"] == "0.0"


MEASURES = ("vocab_vocab", "frame_frame", "vocab_frame", "vocab_mean_norm", "frame_mean_norm")


def write_measure(root: Path, **changes: object) -> Path:
    """A geometry of the 0.5b base, as its rule writes it; None drops a key."""
    report = {
        "stage": "geometry",
        "scale": "0.5b",
        "synthetic": False,
        **dict.fromkeys(MEASURES, 0.5),
        "gap": 1.00812,
        "base": "2b" * 32,
        "parents": {"runs/0.5b/frames/3d": "6f" * 32},
        "stage_version": STAGE_VERSIONS["geometry"],
        "versions": {"torch": "2.11.0"},
        **changes,
    }
    path = root / "results/0.5b/geometry.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({k: v for k, v in report.items() if v is not None}), "utf-8")
    return path


def test_measures_stand_under_their_base(root: Path) -> None:
    write_measure(root)
    found = tables(root)
    (measured,) = (grid_of(each) for each in found.tables if each.name == "geometry")
    assert row(measured, "ours: 0.5b")["gap"] == "1.0081"
    assert after(measured, "ours: 0.5b")["frame-frame"] == "+0.40"
    assert measured.banner == ""
    targets = {cell.target("runs.html") for cell in measured.rows[1].cells}
    assert targets == {"runs.html#0-5b-geometry"}
    (card,) = found.cards
    assert (card.anchor, card.facts["made from"]) == (
        "0-5b-geometry",
        "runs/0.5b/frames/3d/manifest.json, 6f6f6f6f6f6f",
    )
    assert card.seeds == (
        {
            "measure": "results/0.5b/geometry.json",
            "again": "snakemake --profile local -- results/0.5b/geometry.json",
        },
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gap": None}, ": no number at 'gap', which a table shows; "),
        ({"gap": math.nan}, ": gap is nan, expected a finite number; "),
        ({"base": None}, ": base is not a measure's (Field required); "),
        (
            {"scale": "demo"},
            ": claims to be geometry at demo, whose place is results/demo/geometry.json; delete "
            "this copy, or ",
        ),
        (
            {"stage_version": 0},
            ": made by version 0 of stage geometry, the code is at version "
            f"{STAGE_VERSIONS['geometry']}; ",
        ),
        (
            {"content": "0" * 64},
            ": its values do not hash to its own content field; the file was edited, so ",
        ),
    ],
)
def test_a_measure_that_cannot_be_used(root: Path, changes: dict[str, object], said: str) -> None:
    write_measure(root, **changes)
    with pytest.raises(InputError) as raised:
        tables(root)
    text = str(raised.value).removeprefix(f"{root}/")
    assert text == f"results/0.5b/geometry.json{said}run the rule geometry again"


def test_files_are_the_same_twice_and_fetch_nothing(root: Path) -> None:
    write_tables(load(scored(root)))
    files = sorted((root / TABLES).iterdir())
    assert len(files) == 11 * 4 + 2
    hashes = [hash_file(path) for path in files]
    write_tables(load(root))
    assert [hash_file(path) for path in files] == hashes
    for path in (root / TABLES).glob("*.html"):
        page = Page.read(path)
        for target in page.links:
            file, _, anchor = target.partition("#")
            assert (path.parent / file).is_file(), target
            assert not anchor or anchor in Page.read(path.parent / file).ids, target
        assert not page.loaded


def test_a_cell_leads_to_what_its_runs_were_made_from(root: Path) -> None:
    write_score(root, "scanqa", {"em": 0.2})
    write_score(root, "scanqa", {"em": 0.3}, seed=1, prompt="other")
    write_score(root, "scanqa", {"em": 0.1}, variant="zero-shot", recipe="paper")
    lynx, zero = tables(root).cards
    assert (lynx.anchor, zero.anchor) == ("demo-lynx-scanqa", "demo-zero-shot-scanqa")
    assert lynx.facts == {
        "split": "test, 10 questions",
        "recipe": "demo",
        "data": "4d4d4d4d4d4d",
        "base": "2b2b2b2b2b2b",
        "frames": "4, sampled by pose",
        "drawing of X": '{"modality": "depth"}',
        "visual tokens": "130",
        "first prompt": "<image>\nWhat | is this?; other",
        "reference": "runs/demo/reference/3d/manifest.json, 5e5e5e5e5e5e, 200 videos",
        "device": "cpu, 1 threads",
        "versions": "torch 2.11.0",
    }
    assert lynx.seeds[1] == {
        "seed": "1",
        "score": "results/demo/lynx/scanqa/seed1/metrics.json",
        "answers": "runs/demo/predictions/lynx/scanqa/seed1/manifest.json, 1a1a1a1a1a1a",
        "vision adapter": "runs/demo/align/3d/seed1/manifest.json, 5e5e5e5e5e5e",
        "language adapter": "runs/demo/sft/lynx/scanqa/seed1/manifest.json, 5e5e5e5e5e5e",
        "again": "snakemake --profile local -- results/demo/lynx/scanqa/seed1/metrics.json",
    }
    assert (zero.facts["drawing of X"], zero.facts["reference"]) == ("no X is shown", "none")
    assert (zero.seeds[0]["vision adapter"], zero.seeds[0]["language adapter"]) == ("none", "none")
    assert zero.seeds[0]["again"] == (
        "snakemake --profile local --config recipe=paper -- "
        "results/demo/zero-shot/scanqa/seed0/metrics.json"
    ), "not the recipe that the configuration has at this scale"


def test_csv_is_tidy(root: Path) -> None:
    write_tables(load(scored(root)))
    with (root / TABLES / "2-depth.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    ours = [line for line in lines if line["variant"] == "lynx" and line["column"] == "EM@1"]
    published = [
        line for line in lines if (line["method"], line["source"]) == ("V-LynX-0.5B", "published")
    ]
    assert (published[4]["value"], published[4]["unit"]) == ("26.4", "x100")
    assert (published[-1]["value"], published[-1]["unit"]) == ("68.7", "millions")
    costs = {line["column"]: line["unit"] for line in lines if line["value"] and not line["runs"]}
    assert {name: costs[name] for name in ("sft", "visual tokens", "peak memory")} == {
        "sft": "hours",
        "visual tokens": "one",
        "peak memory": "GB",
    }
    assert ours[0] | {"deviation": "", "difference": ""} == {
        "table": "2",
        "method": "V-LynX-0.5B",
        "source": "ours",
        "scale": "demo",
        "variant": "lynx",
        "column": "EM@1",
        "unit": "x100",
        "value": "26.000000",
        "deviation": "",
        "seeds": "0 1 2",
        "difference": "",
        "beyond_deviation": "False",
        "synthetic": "True",
        "runs": " ".join(f"results/demo/lynx/scanqa/seed{k}/metrics.json" for k in range(3)),
    }
    assert float(ours[0]["deviation"]) == pytest.approx(1.0)
    assert float(ours[0]["difference"]) == pytest.approx(-0.4)


def test_latex_rows_are_whole_and_its_signs_commands(root: Path) -> None:
    write_tables(load(scored(root)))
    for path in (root / TABLES).glob("*.tex"):
        text = path.read_text(encoding="utf-8")
        for part in text.split("\\begin{tabular}{")[1:]:
            columns, body = part.split("}", 1)
            rows = [line for line in body.splitlines() if line.endswith("\\\\")]
            assert {line.count(" & ") + 1 for line in rows} == {len(columns)}, path.name
        assert text.isascii(), path.name
        assert text.count("{") == text.count("}")
    depth = (root / TABLES / "2-depth.tex").read_text(encoding="utf-8")
    assert r" & \lynxrun{demo-lynx-scanqa}{" in depth
    assert latex_text("a_b 5% ± 0.1 {x} ~ ^ \\ & # $ -0.4") == (
        r"a\_b 5\% $\pm$ 0.1 \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{} \& \# \$ "
        r"$-$0.4"
    )


LATEX = shutil.which("pdflatex")
DOCUMENT = r"""\documentclass{article}
\pdfcompresslevel=0 \pdfobjcompresslevel=0
\usepackage{%s}
\begin{document}
%s
\end{document}
"""


@pytest.mark.skipif(LATEX is None, reason="there is no LaTeX on this machine")
@pytest.mark.parametrize("packages", ["booktabs,graphicx", "booktabs,graphicx,hyperref"])
def test_latex_compiles(root: Path, packages: str) -> None:
    """Where the document makes links, a cell of ours leads to its runs."""
    write_tables(load(scored(root)))
    folder = root / TABLES
    tables = "\n\\clearpage\n".join(
        f"\\input{{{path.name}}}" for path in sorted(folder.glob("*.tex"))
    )
    (folder / "all.tex").write_text(DOCUMENT % (packages, tables), encoding="utf-8")
    command = [str(LATEX), "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    led = b"runs.html#demo-lynx-scanqa" in (folder / "all.pdf").read_bytes()
    assert led == ("hyperref" in packages)


def test_a_score_of_another_schema_is_named(root: Path) -> None:
    path = write_score(root, "scanqa", {"em": 0.2})
    path.write_text('{"benchmark": "scanqa"}', encoding="utf-8")
    with pytest.raises(InputError, match=r"seed0/metrics\.json: split is not a score's"):
        tables(root)


def test_a_score_without_what_tables_show_is_named(root: Path) -> None:
    """It is of today's version and its hash is right, but its settings lack the frames."""
    path = write_score(root, "scanqa", {"em": 0.2}, settings={"view": {"sampling": "pose"}})
    with pytest.raises(InputError) as raised:
        tables(root)
    assert str(raised.value) == (
        f"{path}: settings.view.frames is not a score's (Field required); run the score rule again"
    )


def test_a_score_of_older_code_is_named(root: Path) -> None:
    path = write_score(root, "scanqa", {"em": 0.2}, stage_version=1)
    with pytest.raises(InputError) as raised:
        tables(root)
    assert str(raised.value).startswith(f"{path}: made by version 1 of stage score, the code is at")


def test_seeds_of_a_benchmark_wait_for_no_other(root: Path) -> None:
    """While scores are made again, those of other benchmarks may still be older code's."""
    write_score(root, "scanqa", {"em": 0.2})
    write_score(root, "avqa", {"accuracy": 0.2}, stage_version=1)
    assert read_seeds(load(root), "scanqa")["lynx"][0]["metrics"]["em"]["value"] == 0.2
    with pytest.raises(InputError, match=r"avqa/seed0/metrics\.json: made by version 1"):
        read_seeds(load(root), "avqa")
    with pytest.raises(InputError, match=r"no runs of sqa3d found; run its metrics\.json first"):
        read_seeds(load(root), "sqa3d")


def test_the_written_table_over_seeds_is_of_the_configured_runs(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever else was run before it: it is made from its inputs alone. Printed are all."""
    needs = {"needs": {"depth": {"em": 0.5}}}
    for variant, seed in (("lynx", 0), ("video-only", 1), ("lynx", 9), ("rank-8", 0)):
        write_score(root, "scanqa", {"em": 0.2}, variant=variant, seed=seed, groups=needs)
    monkeypatch.chdir(root)
    printed = call(monkeypatch, capsys, "seeds", "scanqa", "--write").out
    assert "rank-8" in printed
    assert "0, 9" in printed
    rows = (root / TABLES / "scanqa-seeds.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert {tuple(row.split(",")[:2]) for row in rows} == {("lynx", "0"), ("video-only", "1")}
    assert "rank-8" not in (root / TABLES / "scanqa-seeds.md").read_text(encoding="utf-8")


def test_two_files_that_claim_one_run(root: Path) -> None:
    path = write_score(root, "scanqa", {"em": 0.2})
    other = root / "results/demo/lynx/scanqa/seed7/metrics.json"
    other.parent.mkdir()
    other.write_bytes(path.read_bytes())
    with pytest.raises(InputError) as raised:
        tables(root)
    assert str(raised.value) == (
        f"{other}: claims to be the score of demo/lynx/scanqa/seed0, whose place is there; delete "
        "this copy, or run the score rule of demo/lynx/scanqa/seed7"
    )


def test_a_score_where_none_belongs(root: Path) -> None:
    path = write_score(root, "scanqa", {"em": 0.2})
    path.rename(path.parents[1] / "metrics.json")
    with pytest.raises(InputError, match=r"lynx/scanqa/metrics\.json: no run's score lies there"):
        tables(root)


def test_a_seed_has_one_folder(root: Path) -> None:
    """`seed00` would say seed 0 as `seed0` does, and one of them would go unseen."""
    path = write_score(root, "scanqa", {"em": 0.2})
    other = root / "results/demo/lynx/scanqa/seed00/metrics.json"
    other.parent.mkdir()
    other.write_bytes(path.read_bytes())
    for read in (tables, lambda root: read_seeds(load(root), "scanqa")):
        with pytest.raises(InputError) as raised:
            read(root)
        assert str(raised.value) == (
            f"{other}: no run's score lies there, that of seed 0 has its place at {path}; move or "
            "delete it"
        )


def test_a_number_that_is_none(root: Path) -> None:
    path = write_score(root, "scanqa", {"em": 0.2})
    path.write_text(path.read_text(encoding="utf-8").replace("0.2", "NaN"), encoding="utf-8")
    with pytest.raises(InputError, match=r"metrics\.em\.value is nan, expected a finite number"):
        tables(root)


def test_an_edited_score(root: Path) -> None:
    path = write_score(root, "scanqa", {"em": 0.2})
    path.write_text(path.read_text(encoding="utf-8").replace("0.2", "0.9"), encoding="utf-8")
    with pytest.raises(InputError, match="its values do not hash to its own content field"):
        tables(root)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "rows",
            [{"method": "X", "values": [1.0]}],
            "config/published.yaml: at 'tables.view', row 'X' has 1 values, expected "
            "one for each of the 2 columns; write null where nothing is published",
        ),
        (
            "controls",
            ["lynks"],
            "config/published.yaml, tables.view.rows: unknown variant 'lynks', did you mean "
            "'lynx'; known: ",
        ),
        (
            "columns",
            [{"title": "accuracy"}, {"title": "ΔParams", "unit": "millions", "parameters": True}],
            "config/published.yaml: key 'tables.view.columns.0.unit' is missing; expected one of "
            "x100, millions, one",
        ),
        (
            "rows",
            [{"method": "X", "values": [math.nan, None]}],
            "config/published.yaml: key 'tables.view.rows.0.values.0' is NaN, expected a number "
            "or null",
        ),
        (
            "columns",
            [{"title": "accuracy", "unit": "x100"}, {"title": "accuracy", "unit": "one"}],
            "config/published.yaml: at 'tables.view', 2 columns are called 'accuracy', expected a "
            "title of its own for each: lines of the CSV are told apart by it; rename them",
        ),
        (
            "colour",
            "red",
            "config/published.yaml: unknown key 'tables.view.colour'",
        ),
    ],
)
def test_a_fault_of_the_published_file(root: Path, key: str, value: object, sentence: str) -> None:
    path = root / "config/published.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    data["tables"]["view"][key] = value
    edit_yaml(path, data)
    with pytest.raises(InputError) as raised:
        tables(root)
    assert str(raised.value).startswith(sentence)
