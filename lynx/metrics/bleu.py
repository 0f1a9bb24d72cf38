"""BLEU-1 to 4 of the COCO protocol from counts that are added up over items, as `pycocoevalcap`
computes it: the geometric mean of n-gram precisions with the brevity of the closest references.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from pycocoevalcap.bleu.bleu_scorer import (  # type: ignore[import-untyped]
    BleuScorer,
    cook_refs,
    cook_test,
)

from lynx.metrics.per_item import PerItem, Table

ORDERS = 4


def bleu_statistics(
    hypotheses: Mapping[str, Sequence[str]], references: Mapping[str, Sequence[str]]
) -> Table:
    """The counts of each item (N, 10): n-grams right and in all by n, words, reference words."""
    return np.array(
        [_counts(texts[0], references[item]) for item, texts in hypotheses.items()], dtype=float
    )


def _counts(hypothesis: str, references: Sequence[str]) -> list[int]:
    found = cook_test(hypothesis, cook_refs(references, n=ORDERS), eff="closest", n=ORDERS)
    return [*found["correct"], *found["guess"], found["testlen"], found["reflen"]]


def bleu_of(sums: Table) -> list[float]:
    """BLEU-1 to 4 of a set of items whose counts (10,) are added up."""
    *counts, words, reference_words = sums.tolist()
    scorer = BleuScorer(n=ORDERS)
    scorer.ctest = [
        {
            "correct": counts[:ORDERS],
            "guess": counts[ORDERS:],
            "testlen": words,
            "reflen": [reference_words],
        }
    ]
    scores: list[float] = scorer.compute_score(option="closest")[0]
    return scores


def bleu_per_item(rows: Table) -> dict[str, PerItem]:
    """What each item adds to each of the four."""
    return {
        f"bleu{order}": PerItem(rows, partial(_of_sums, order)) for order in range(1, ORDERS + 1)
    }


def _of_sums(order: int, sums: Table) -> Table:
    return np.array([bleu_of(row)[order - 1] for row in sums])
