"""Where words and frames lie in the language model's input space (table B1 of the publication).

Every mean over pairs has a closed form in sums, so nothing is sampled and no pair is visited. All
sums are in float64.

Shape legend: N vectors, R rows added at once, D language width.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch

from lynx.errors import InputError

ROWS_AT_ONCE = 8192
"""Rows that are held in float64 at a time: a vocabulary of 152,000 words would take 4 GB at 7B."""


@dataclass
class VectorSums:
    """What the means over vectors and over their pairs are computed from.

    A vector of length zero has no direction: it is counted and otherwise left out.
    """

    count: int
    zeros: int
    total: torch.Tensor
    """Sum (D,) of the vectors."""
    directions: torch.Tensor
    """Sum (D,) of the vectors, each divided by its length."""

    @classmethod
    def empty(cls, width: int) -> VectorSums:
        """Sums of no vectors of width D."""
        zero = torch.zeros(width, dtype=torch.float64)
        return cls(0, 0, zero, zero.clone())

    def add(self, rows: torch.Tensor) -> None:
        """Take in vectors (R, D) of any dtype and device."""
        for part in rows.split(ROWS_AT_ONCE):
            wide = part.to("cpu", torch.float64)
            lengths = wide.norm(dim=1, keepdim=True)
            pointing = lengths[:, 0] != 0
            wide, lengths = wide[pointing], lengths[pointing]
            self.count += len(wide)
            self.zeros += len(part) - len(wide)
            self.total += wide.sum(dim=0)
            self.directions += (wide / lengths).sum(dim=0)

    @property
    def mean(self) -> torch.Tensor:
        """The mean vector (D,)."""
        return self.total / self.count


def distance_within(sums: VectorSums) -> float:
    """Mean cosine distance over all pairs i != j of N vectors.

    With the sum U of the unit vectors, the cosines of all pairs i, j add up to U.U, of which those
    with i = j are N.
    """
    pairs = sums.count * (sums.count - 1)
    return 1 - (float(sums.directions @ sums.directions) - sums.count) / pairs


def distance_between(one: VectorSums, other: VectorSums) -> float:
    """Mean cosine distance over all pairs of a vector of one set and a vector of the other."""
    return 1 - float(one.directions @ other.directions) / (one.count * other.count)


@dataclass(frozen=True)
class Geometry:
    """The columns of table B1 for one base model; distances are cosine distances, 0 to 2.

    The publication does not define its last column, the "scale-invariant gap". `gap` is the cosine
    distance between the mean word embedding and the mean frame token: free of scale, and near 1 for
    means that are nearly orthogonal, as all four printed values are (1.0081, 0.9499, 0.9539 and
    0.9930). What else was tried on the printed columns does not fit all four rows:

    - The distance between the means over the length of the mean frame token differs from 1 by at
      most 0.0074 in the first row and 0.0023 in the second, the means being 0.19 and 26.30, 0.10
      and 45.42 long. Over a mean length of frames, or over both lengths, it is smaller still.
    - The distance between the two means, each made one long, is 1.41 where they are orthogonal.
    - The distance between the mean unit vectors follows from the three mean distances, as
      sqrt((1 - vv) + (1 - ff) - 2 (1 - vf)): 1.05, 1.04, 0.95 and 0.99. That agrees with the last
      two rows, and not with the first two, which are LLaVA-OneVision's.
    """

    vocab_vocab: float
    frame_frame: float
    vocab_frame: float
    vocab_mean_norm: float
    frame_mean_norm: float
    gap: float

    def as_dict(self) -> dict[str, float]:
        """By column."""
        return asdict(self)


def geometry(vocabulary: VectorSums, frames: VectorSums) -> Geometry:
    """Table B1's numbers for word embeddings and frames.

    A frame is one vector, the mean of its pooled tokens: the table has a frame-frame column, not a
    token-token one. The mean frame token is the same either way, every frame having as many tokens.

    Raises InputError for fewer than two of either, of which there is no pair.
    """
    for name, sums in (("word embeddings", vocabulary), ("frames", frames)):
        if sums.count < 2:
            raise InputError(
                f"geometry: the number of {name} other than zero is {sums.count}, expected 2 or "
                "more; check the base model's weights and that the training splits have clips"
            )
    word, frame = vocabulary.mean, frames.mean
    lengths = float(word.norm()), float(frame.norm())
    if 0.0 in lengths:
        raise InputError(
            f"geometry: the mean word embedding is {lengths[0]} long and the mean frame token "
            f"{lengths[1]}, expected directions to compare; check the base model's weights"
        )
    return Geometry(
        vocab_vocab=distance_within(vocabulary),
        frame_frame=distance_within(frames),
        vocab_frame=distance_between(vocabulary, frames),
        vocab_mean_norm=lengths[0],
        frame_mean_norm=lengths[1],
        gap=1 - float(word @ frame) / (lengths[0] * lengths[1]),
    )
