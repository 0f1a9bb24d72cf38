"""One question about one clip, and the JSON Lines tables that carry them between stages."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lynx.errors import InputError


class Turn(BaseModel):
    """A question with the answer that training teaches; ``""`` where the answer is not public."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(min_length=1)
    answer: str


class Subtitle(BaseModel):
    """A subtitle and when it is on screen, in seconds of the clip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: float
    end: float
    text: str


class Sample(BaseModel):
    """One annotated item of a benchmark: what is asked about a clip and what counts as right.

    ``id`` is the annotation's own question id, ``clip`` the id under which features are stored,
    ``references`` are all accepted answers to the last turn. ``type`` is the benchmark's question
    type; ``tags`` are further groupings (name -> value) under which metrics are reported too.
    ``options`` are the answers to choose from, in the order of the letters A, B, ...; then
    ``references`` holds the letter of the right one. ``subtitles`` are those of the clip, in their
    order; of them the prompt has what is on screen at the frames that are shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    clip: str = Field(min_length=1)
    turns: tuple[Turn, ...] = Field(min_length=1)
    references: tuple[str, ...]
    type: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    options: tuple[str, ...] = ()
    subtitles: tuple[Subtitle, ...] = ()


def write_samples(path: Path, samples: Iterable[Sample]) -> None:
    """Write a sample table: one JSON object a line, UTF-8, in the order given."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_line(sample) for sample in samples)


def read_samples(path: Path) -> list[Sample]:
    """Read what ``write_samples`` wrote.

    Raises:
        InputError: there is no such file, or a line is not a sample or repeats an id; the sentence
            names file and line.
    """
    if not path.is_file():
        raise InputError(
            f"{path}: no sample table found, expected JSON Lines; run the stage that reads the "
            "benchmark's annotation first"
        )
    samples: list[Sample] = []
    line_of: dict[str, int] = {}
    # Lines are split at \n alone, in bytes: a text may hold other line separators unescaped.
    for number, line in enumerate(path.read_bytes().removesuffix(b"\n").split(b"\n"), start=1):
        if number == 1 and not line:
            break  # an empty file is a table without samples
        sample = _parse(line, f"{path}, line {number}")
        if sample.id in line_of:
            raise InputError(
                f"{path}, line {number}: found sample {sample.id!r} again, expected each id once "
                f"(first on line {line_of[sample.id]}); write the table anew"
            )
        line_of[sample.id] = number
        samples.append(sample)
    return samples


def _line(sample: Sample) -> str:
    # Most benchmarks have neither; their tables, and the hashes of these, go without the fields.
    empty = {name for name in ("options", "subtitles") if not getattr(sample, name)}
    return sample.model_dump_json(exclude=empty) + "\n"


def _parse(line: bytes, place: str) -> Sample:
    try:
        return Sample.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or "the line"
        raise InputError(
            f"{place}: {key}: {first['msg']}, expected a sample with the fields "
            f"{', '.join(Sample.model_fields)}; write the table anew"
        ) from error
