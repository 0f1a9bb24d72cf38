"""A page of samples as data beside its picture: what the report lays out as text of its own width.

Shape legend: L rows, C columns, H x W pixels.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image
from pydantic import Field, ValidationError

from lynx.artifacts.publish import write_atomic
from lynx.benchmarks.choices import bracketed
from lynx.config.strict import Positive, Strict
from lynx.errors import InputError
from lynx.report.samples.pictures import UInt8
from lynx.report.samples.sheet import Entry, Page, gold_of, said_of

SIDE, GAP = 120, 4
"""Pixels of a picture's side and between pictures: a row is as wide as a phone shows."""
QUALITY = 75


class Strip(Strict):
    """Rows of small pictures as one JPEG; `name` is what they are of."""

    name: str
    jpeg: str = Field(pattern="^[A-Za-z0-9+/]+=*$", description="base64")
    width: Positive
    height: Positive


class Said(Strict):
    """What a variant answered; `right` is null where nothing is marked."""

    variant: str
    text: str
    right: bool | None


class Question(Strict):
    """One question of the page."""

    facts: str
    question: str
    options: tuple[str, ...]
    reference: str
    answers: tuple[Said, ...]
    strips: tuple[Strip, ...]


class SampleSheet(Strict):
    """What `<scale>-<benchmark>-samples.json` holds."""

    title: str
    subtitle: str
    banner: str
    notes: tuple[str, ...]
    questions: tuple[Question, ...]


def sheet_of(page: Page) -> SampleSheet:
    """The page's words in full, with its pictures in small."""
    return SampleSheet(
        title=page.title,
        subtitle=page.subtitle,
        banner=page.banner,
        notes=tuple(page.notes),
        questions=tuple(_question(entry, page.modality) for entry in page.entries),
    )


def _question(entry: Entry, modality: str) -> Question:
    asked = entry.asked
    return Question(
        facts=entry.facts,
        question=asked.question,
        options=tuple(bracketed(asked.sample)),
        reference=said_of(asked.sample, gold_of(asked.sample)),
        answers=tuple(
            Said(variant=name, text=said_of(asked.sample, answer), right=answer.right)
            for name, answer in asked.answers.items()
        ),
        strips=(
            _strip("video", entry.pictures.video[None]),
            _strip(f"X: {modality}", entry.pictures.x),
        ),
    )


def _strip(name: str, pictures: UInt8) -> Strip:
    """Pictures (L, C, H, W, 3) as squares on white."""
    rows, columns = pictures.shape[:2]
    step = SIDE + GAP
    sheet = Image.new("RGB", (columns * step - GAP, rows * step - GAP), "white")
    for row, column in np.ndindex(rows, columns):
        small = Image.fromarray(pictures[row, column]).resize((SIDE, SIDE))
        sheet.paste(small, (column * step, row * step))
    written = io.BytesIO()
    sheet.save(written, "jpeg", quality=QUALITY, optimize=True)
    data = base64.b64encode(written.getvalue()).decode()
    return Strip(name=name, jpeg=data, width=sheet.width, height=sheet.height)


def write_sheet(path: Path, sheet: SampleSheet) -> None:
    """Write it as JSON; equal pages give equal bytes."""
    write_atomic(path, sheet.model_dump_json(indent=1) + "\n")


def read_sheet(path: Path) -> SampleSheet:
    """Read what `write_sheet` wrote; InputError for a file that is none."""
    try:
        return SampleSheet.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise InputError(
            f"{path}: {key} is not a page of samples' ({first['msg']}); delete it, or make it "
            "again with the sample_page rule"
        ) from error
