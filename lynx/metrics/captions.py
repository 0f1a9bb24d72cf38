"""Caption metrics of the COCO protocol: BLEU-1..4, METEOR, ROUGE-L and CIDEr.

Tokens come from the Penn Treebank tokeniser; BLEU, ROUGE-L and CIDEr are `pycocoevalcap`'s, METEOR
is its jar. SPICE is left out: its constructor downloads Stanford CoreNLP 3.6.0, and no job has a
network; none of the tables this project reproduces contains it. Values are fractions: papers print
all of them times 100. CIDEr, whose largest value is 10, is meant in "CIDEr 145.7" as 1.457.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pycocoevalcap.cider.cider import Cider  # type: ignore[import-untyped]
from pycocoevalcap.rouge.rouge import Rouge  # type: ignore[import-untyped]

from lynx.errors import InputError
from lynx.metrics.bleu import bleu_of, bleu_per_item, bleu_statistics
from lynx.metrics.coverage import cover
from lynx.metrics.meteor import meteor, meteor_per_item
from lynx.metrics.per_item import PerItem, mean
from lynx.metrics.ptb import tokenize

CAPTION_METRICS = ("bleu1", "bleu2", "bleu3", "bleu4", "meteor", "rouge_l", "cider")

# The form pycocoevalcap takes: id -> captions, one for a prediction, one or more for references.
_Tokenized = dict[str, list[str]]


@dataclass(frozen=True)
class CaptionScores:
    """``overall``: metric -> value over all items; ``groups``: group -> the same over its items.

    The document frequencies of CIDEr are those of the whole set in a group as well, so that the
    mean over groups, weighted by their sizes, is the overall value. ``per_item``: metric -> what
    each item adds to it, with these document frequencies.
    """

    overall: dict[str, float]
    groups: dict[str, dict[str, float]] = field(default_factory=dict)
    per_item: dict[str, PerItem] = field(default_factory=dict, compare=False, repr=False)


def caption_scores(
    predictions: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    groups: Mapping[str, Sequence[str]] | None = None,
) -> CaptionScores:
    """Score ``predictions`` (id -> text) against ``references`` (id -> texts), all ids at once.

    Every id of ``references`` counts: a missing or empty prediction is scored as the empty string,
    which gains 0. ``groups`` (name -> ids) asks for subsets too; one of no ids is left out.
    CIDEr depends on the whole reference set: never average it over shards of the predictions.

    Raises InputError if Java or METEOR is missing or fails (never a part of the metrics), if an
    item has no reference with a word in it, or as ``lynx.metrics.coverage.cover`` does.
    """
    texts = cover(predictions, references).texts
    hypotheses, gold = _tokenize(texts, references)
    rouge = np.asarray(Rouge().compute_score(gold, hypotheses)[1], dtype=float)
    cider = np.asarray(Cider().compute_score(gold, hypotheses)[1], dtype=float)
    subsets = {name: list(ids) for name, ids in (groups or {}).items() if ids}
    subsets_meteor, statistics = _meteor(gold, hypotheses, [list(texts), *subsets.values()])
    bleu_rows = bleu_statistics(hypotheses, gold)
    row = {item: index for index, item in enumerate(texts)}

    def scores(ids: Sequence[str], meteor_score: float) -> dict[str, float]:
        rows = [row[item] for item in ids]
        bleu = bleu_of(bleu_rows[rows].sum(axis=0))
        values = [*bleu, meteor_score, _mean(rouge, rows), _mean(cider, rows)]
        return dict(zip(CAPTION_METRICS, map(float, values), strict=True))

    return CaptionScores(
        overall=scores(list(texts), subsets_meteor[0]),
        groups={
            name: scores(ids, meteor_score)
            for (name, ids), meteor_score in zip(subsets.items(), subsets_meteor[1:], strict=True)
        },
        per_item={
            **bleu_per_item(bleu_rows),
            "meteor": meteor_per_item(statistics),
            "rouge_l": mean(rouge),
            "cider": mean(cider),
        },
    )


def _tokenize(
    texts: Mapping[str, str], references: Mapping[str, Sequence[str]]
) -> tuple[_Tokenized, _Tokenized]:
    # One call for both sides: starting Java costs more than the tokens.
    lines = [*texts.values(), *(line for item in texts for line in references[item])]
    tokenized = iter(tokenize(lines))
    hypotheses = {item: [next(tokenized)] for item in texts}
    gold = {item: [next(tokenized) for _ in references[item]] for item in texts}
    for item, lines_of_item in gold.items():
        # A reference without a word would give ROUGE-L 1 to an empty prediction.
        gold[item] = [line for line in lines_of_item if line]
        if not gold[item]:
            raise InputError(
                f"item {item!r} has no reference with a word in it (found {references[item]!r}), "
                "expected at least one; correct or leave out the item in the annotation"
            )
    return hypotheses, gold


def _meteor(
    gold: _Tokenized, hypotheses: _Tokenized, subsets: Sequence[Sequence[str]]
) -> tuple[list[float], list[str]]:
    with meteor() as scorer:
        statistics = {
            item: scorer.statistics(hypotheses[item][0], gold[item]) for item in hypotheses
        }
        scores = [scorer.score([statistics[item] for item in ids]) for ids in subsets]
    return scores, list(statistics.values())


def _mean(values: NDArray[np.float64], rows: Sequence[int]) -> float:
    return float(values[rows].mean())
