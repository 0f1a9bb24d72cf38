"""`lynx compare` on runs made by hand: numbers, questions, and what it says of each thing wrong."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lynx.artifacts.hashing import hash_file
from lynx.errors import InputError
from lynx.evaluate.metrics_file import read_report, write_report
from lynx.evaluate.stage import run_headline
from lynx.report.comparison.compare import NOT_SAID, NOT_SUMMED, beside, compare
from lynx.report.comparison.table import print_comparison, question_lines
from tests.command_line import call
from tests.unit import made_runs
from tests.unit.config_copy import replace
from tests.unit.made_runs import BENCHMARK, CHOSEN, PREDICTIONS, SCORE, make_run, project_at

GOLD = ["yes", "no", "two", "left", "guitar", "piano", "drum", "three", "one", "right"]
ANSWERS = {
    "lynx": ["yes", "no", "two", "left", "guitar", "a piano", "drum", "three", "two", ""],
    "video-only": ["yes", "no", "three", "left", "piano", "piano", "cello", "four", "two", "left"],
}
OTHER = Path("results/demo/video-only/music_avqa/seed0/metrics.json")
HEADLINE = Path("results/music_avqa/metrics.json")
ELSEWHERE = Path("elsewhere/metrics.json")
AGAIN = "run the score rule again"


def by_id(texts: list[str]) -> dict[str, str]:
    return {f"q{number}": text for number, text in enumerate(texts)}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made_runs, "QUESTIONS", by_id(GOLD))
        for variant, answers in ANSWERS.items():
            patch.setattr(made_runs, "ANSWERS", by_id(answers))
            make_run(root, variant)
        run_headline(project_at(root), BENCHMARK)
    return root


@pytest.fixture
def root(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the runs that the test may spoil, and the working folder."""
    copy = Path(shutil.copytree(ran, tmp_path / "run"))
    monkeypatch.chdir(copy)
    return copy


def rewrite(path: Path, change: Callable[[dict[str, Any]], object], target: Path) -> None:
    """A score with other content and the hash of that."""
    report = read_report(path)
    change(report)
    target.parent.mkdir(exist_ok=True)
    write_report(target, report)


def sentence(*paths: Path) -> str:
    with pytest.raises(InputError) as caught:
        compare(paths, overrides=CHOSEN)
    return str(caught.value)


@pytest.mark.usefixtures("root")
def test_metrics_and_groups_with_differences() -> None:
    found = compare([SCORE.parent, OTHER])
    assert [run.label for run in found.runs] == ["lynx, seed 0", "video-only, seed 0"]
    rows = {(row.metric, row.group): row for row in found.rows}
    assert list(rows) == [
        ("substring_accuracy", None),
        ("exact_accuracy", None),
        ("exact_accuracy", ("scenario", "Audio")),
    ]
    row = rows["exact_accuracy", None]
    assert row.values == (0.7, 0.4)
    assert row.differences() == [0.0, pytest.approx(-0.3)]
    assert row.paired is not None
    # 4 questions are worse, 1 is better: a deviation of sqrt((5 / 10 - 0.3 ** 2) / 10) = 0.2.
    difference = row.paired.differences[1]
    assert difference.low == pytest.approx(-0.3 - 1.96 * 0.2, abs=0.08)
    assert difference.high == pytest.approx(-0.3 + 1.96 * 0.2, abs=0.08)
    # The one group holds every question.
    assert rows["exact_accuracy", ("scenario", "Audio")].paired == row.paired


@pytest.mark.usefixtures("root")
def test_questions_that_differ() -> None:
    assert list(question_lines(compare([SCORE, OTHER]), limit=2)) == [
        "5 of 10 questions have different scores (accuracy (exact)).",
        "video-only, seed 0: better than lynx, seed 0 on 1, worse on 4.",
        "",
        "q2: how many?",
        "  gold: two",
        "  lynx, seed 0: two (right)",
        "  video-only, seed 0: three (wrong)",
        "",
        "q4: how many?",
        "  gold: guitar",
        "  lynx, seed 0: guitar (right)",
        "  video-only, seed 0: piano (wrong)",
        "",
        "3 more; --limit 5 lists all.",
    ]


@pytest.mark.usefixtures("root")
def test_a_headline_is_the_run_that_it_copies() -> None:
    assert compare([HEADLINE, OTHER]).rows == compare([SCORE, OTHER]).rows


@pytest.mark.usefixtures("root")
def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    found = compare([SCORE, OTHER])
    print_comparison(found, Console(width=100))
    lines = [line.strip(" │┃") for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "music_avqa, split test, 10 questions, synthetic world"
    assert "accuracy (exact), scenario Audio (10)" in lines
    shown = [line.split("│")[1].split()[0] for line in lines if line.startswith("lynx")]
    assert shown == ["80.0", "70.0", "70.0"]
    assert lines[-2:] == [
        "in brackets: 95% of 10,000 paired resamples of the questions",
        "* the interval of the difference excludes zero",
    ]


@pytest.mark.usefixtures("root")
def test_a_metric_without_statistics_has_no_interval() -> None:
    compared = compare([SCORE, OTHER]).compared
    vars(compared.runs[1].scores)["per_item"] = {}
    found = beside(compared, "exact_accuracy", ["scenario"])
    assert {(row.paired, row.why_not) for row in found.rows} == {(None, NOT_SAID)}
    assert found.differing is None


@pytest.mark.usefixtures("root")
def test_a_metric_that_is_no_sum_of_its_questions_has_no_interval() -> None:
    compared = compare([SCORE, OTHER]).compared
    items = dict(compared.runs[0].scores.per_item)
    items["exact_accuracy"] = items["substring_accuracy"]
    vars(compared.runs[0].scores)["per_item"] = items
    found = beside(compared, "exact_accuracy", [])
    assert [row.why_not for row in found.rows] == [None, NOT_SUMMED]


@pytest.mark.usefixtures("root")
def test_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    names = (str(SCORE), str(OTHER))
    said = call(monkeypatch, capsys, "compare", *names, "--json", "--limit", "3")
    again = call(monkeypatch, capsys, "compare", *names, "--json", "--limit", "3")
    assert (said.code, said.err) == (0, "")
    assert again == said
    found = json.loads(said.out)
    assert (found["resamples"], found["differing"], len(found["questions"])) == (10_000, 5, 3)
    assert found["questions"][0] == {
        "id": "q2",
        "clip": "clip",
        "question": "how many?",
        "options": [],
        "references": ["two"],
        "runs": [{"answer": "two", "score": 1.0}, {"answer": "three", "score": 0.0}],
    }
    second = found["metrics"][1]["runs"][1]
    assert set(second) == {
        "value",
        "difference",
        "interval",
        "difference_interval",
        "difference_excludes_zero",
    }
    printed = call(monkeypatch, capsys, "compare", *names, "--samples", "--limit", "1")
    assert printed.out.splitlines()[-1] == "4 more; --limit 5 lists all."
    refused = call(monkeypatch, capsys, "compare", str(SCORE))
    assert refused.code == 2
    assert refused.said == (
        f"lynx: {SCORE}: one score is given, expected two or more; name another metrics.json"
    )


@pytest.mark.usefixtures("root")
def test_one_run_twice() -> None:
    assert sentence(SCORE, HEADLINE) == (
        f"{HEADLINE}: says it is run demo/lynx/music_avqa/seed0, and so does {SCORE}, expected "
        "every run once; give one of the two"
    )


@pytest.mark.usefixtures("root")
def test_a_score_that_is_not_where_its_run_is() -> None:
    target = Path("results/demo/zero-shot/music_avqa/seed0")
    shutil.copytree(OTHER.parent, target)
    assert sentence(SCORE, target) == (
        f"{target}/metrics.json: variant is video-only, expected zero-shot from its path; {AGAIN}"
    )


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(("key", "value"), [("benchmark", "avqa"), ("split", "val")])
def test_runs_of_other_questions(key: str, value: str) -> None:
    found = read_report(SCORE)[key]
    rewrite(OTHER, lambda report: report.update({key: value}), ELSEWHERE)
    assert sentence(SCORE, ELSEWHERE) == (
        f"{ELSEWHERE}: {key} is {value}, expected {found} as in {SCORE}; compare runs of one {key}"
    )


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"metrics": {}}', "benchmark is not a score's (Field required)"),
        ("[]", "the whole file is not a score's (Input should be an object)"),
    ],
)
def test_a_file_of_another_schema(text: str, said: str) -> None:
    OTHER.write_text(text, encoding="utf-8")
    assert sentence(SCORE, OTHER) == f"{OTHER}: {said}; {AGAIN}"


@pytest.mark.usefixtures("root")
def test_a_file_that_is_no_text() -> None:
    OTHER.write_bytes(b"\xff\xfe\x00")
    assert sentence(SCORE, OTHER).startswith(f"{OTHER}: the whole file is not a score's (Invalid")


@pytest.mark.usefixtures("root")
def test_a_number_that_is_none() -> None:
    report = read_report(OTHER)
    report["metrics"]["exact_accuracy"]["value"] = math.nan
    OTHER.write_text(json.dumps(report), encoding="utf-8")
    assert sentence(SCORE, OTHER) == (
        f"{OTHER}: metrics.exact_accuracy.value is nan, expected a finite number; {AGAIN}"
    )


@pytest.mark.usefixtures("root")
def test_no_such_score() -> None:
    missing = Path("results/demo/no-align/music_avqa/seed0/metrics.json")
    assert sentence(SCORE, missing) == f"{missing}: no metrics of this run; {AGAIN}"


@pytest.mark.usefixtures("root")
def test_absent_predictions() -> None:
    shutil.rmtree(PREDICTIONS)
    assert sentence(SCORE, OTHER) == (
        f"{PREDICTIONS}: no manifest, so the artefact is absent or was never "
        "finished; run the rule that makes it"
    )


@pytest.mark.usefixtures("root")
def test_predictions_that_were_changed() -> None:
    path = PREDICTIONS / "predictions.jsonl"
    size = path.stat().st_size
    path.write_text(path.read_text(encoding="utf-8").replace("guitar", "violin"), encoding="utf-8")
    found = hash_file(path)
    assert path.stat().st_size == size
    said = sentence(SCORE, OTHER)
    assert said.startswith(f"{path}: sha256 {found[:12]}... found, ")
    assert said.endswith("expected; the file was changed, so run its rule again")


@pytest.mark.usefixtures("root")
def test_predictions_that_the_score_is_not_of() -> None:
    rewrite(SCORE, lambda report: report.update(predictions="0" * 64), SCORE)
    manifest = PREDICTIONS / "manifest.json"
    assert sentence(SCORE, OTHER) == (
        f"{SCORE}: the score of predictions 000000000000, but {manifest} is "
        f"{hash_file(manifest)[:12]}; {AGAIN}"
    )


@pytest.mark.usefixtures("root")
def test_a_value_that_the_answers_do_not_come_to() -> None:
    rewrite(SCORE, lambda report: report["metrics"]["exact_accuracy"].update(value=0.9), SCORE)
    assert sentence(SCORE, OTHER) == (
        f"{SCORE}: metrics.exact_accuracy.value is 0.9, but the answers in {PREDICTIONS} come to "
        f"0.7; {AGAIN}"
    )


def test_a_run_of_another_project_has_its_questions_checked(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    with monkeypatch.context() as patch:
        patch.setattr(made_runs, "QUESTIONS", by_id([*GOLD[:-1], "left"]))
        patch.setattr(made_runs, "ANSWERS", by_id(ANSWERS["lynx"]))
        make_run(other, "lynx")
    table = "runs/demo/data/music_avqa/test.jsonl"
    assert sentence(SCORE, other / SCORE) == (
        f"{other / table}: its questions and references are not those of {table}, expected the "
        "same ones; compare runs of the same annotation"
    )
    alike = Path(shutil.copytree(root, tmp_path / "alike"))
    replace(alike, "config/benchmarks/music_avqa.yaml", "[scenario]", "[]")
    labels = [run.label for run in compare([SCORE, alike / SCORE]).runs]
    assert labels == [f"lynx, seed 0, {root}", f"lynx, seed 0, {alike}"]
