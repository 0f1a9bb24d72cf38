"""Comparison of free text with one short answer: by substring (released) and exactly (honest).

The substring rule is what published numbers of MUSIC-AVQA and Ego-Exo4D rest on, and it is lenient:
"no" is in "piano", "one" in "saxophone". The exact rule beside it shows how much that gains.
"""

from __future__ import annotations

import re

_AROUND = " \t\r\n.,;:!?\"'`()[]*"
_GAPS = re.compile(r"[\s_]+")


def contains(prediction: str, gold: str) -> bool:
    """Whether ``gold`` stands anywhere in ``prediction``, character by character ("released")."""
    return gold in prediction


def contains_any_case(prediction: str, gold: str) -> bool:
    """``contains`` after lower-casing both ("released" behaviour for MUSIC-AVQA)."""
    return contains(prediction.lower(), gold.lower())


def normalise(text: str) -> str:
    """``text`` in lower case, underscores as spaces, one space a gap, punctuation around it gone.

    Underscores, because MUSIC-AVQA writes `acoustic_guitar`. Words are left as they are: "2" is
    not "two" and "the flute" is not "flute".
    """
    return _GAPS.sub(" ", text.lower()).strip(_AROUND)


def equals(prediction: str, gold: str) -> bool:
    """Whether both are the same text once normalised."""
    return normalise(prediction) == normalise(gold)
