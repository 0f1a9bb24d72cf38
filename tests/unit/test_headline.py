"""A headline is made of scores that are as they were written; a damaged one is told, not shown,
and not recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lynx.errors import InputError
from lynx.evaluate.metrics_file import read_report, write_report
from lynx.evaluate.stage import run_headline
from lynx.ledger.record import require_true
from lynx.report.terminal import print_table
from tests.unit.config_copy import MAIN
from tests.unit.made_runs import BENCHMARK, CHOSEN, SCORE, make_headline, project_at

CONTROL = Path("results/demo/video-only/music_avqa/seed0/metrics.json")
EDITED = (
    "its values do not hash to its own content field; the file was edited, so run the score rule "
    "again"
)


@pytest.fixture
def headline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A headline over a run and its control, in the working folder."""
    monkeypatch.chdir(tmp_path)
    return make_headline(Path())


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    report = json.loads(path.read_text(encoding="utf-8"))
    change(report)
    path.write_text(json.dumps(report), encoding="utf-8")


def refusal(work: Callable[..., object]) -> str:
    with pytest.raises(InputError) as caught:
        work(project_at(Path()), BENCHMARK)
    return str(caught.value)


@pytest.mark.parametrize("path", [SCORE, CONTROL], ids=["lynx", "control"])
def test_an_edited_score_gets_no_new_seal(headline: Path, path: Path) -> None:
    before = headline.read_bytes()
    edit(path, lambda data: data["metrics"]["substring_accuracy"].update(value=0.999))
    assert refusal(run_headline) == f"{path}: {EDITED}"
    assert headline.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "what"),
    [("no JSON", "the whole file"), ("[1, 2]", "the whole file"), ("{}", "benchmark")],
)
def test_a_damaged_file(headline: Path, text: str, what: str) -> None:
    for path, work in ((SCORE, run_headline), (headline, print_table)):
        path.write_text(text, encoding="utf-8")
        said = refusal(work)
        assert said.startswith(f"{path}: {what} is not a score's (")
        assert said.endswith("); run the score rule again")


def test_the_score_of_another_run(headline: Path) -> None:
    report = read_report(SCORE)
    write_report(CONTROL, report)
    assert refusal(run_headline) == (
        f"{CONTROL}: variant is lynx, expected video-only from its path; run the score rule again"
    )


def test_an_edited_headline_is_not_shown(headline: Path) -> None:
    print_table(project_at(Path()), BENCHMARK)
    edit(headline, lambda data: data.update(samples=3))
    assert refusal(print_table) == f"{headline}: {EDITED}"


def test_the_ledger_takes_what_is_as_it_was_written(headline: Path) -> None:
    main = yaml.safe_load(MAIN.read_text(encoding="utf-8"))
    MAIN.write_text(yaml.safe_dump({**main, **CHOSEN}), encoding="utf-8")
    names = [str(SCORE), str(headline)]
    require_true(names, [])
    for path in (SCORE, headline):
        whole = path.read_text(encoding="utf-8")
        edit(path, lambda data: data.update(empty=1))
        with pytest.raises(InputError) as caught:
            require_true(names, [])
        assert str(caught.value) == f"{path}: {EDITED}"
        path.write_text(whole, encoding="utf-8")
