from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lynx.benchmarks import videomme_subtitles
from lynx.benchmarks.sample import Sample, Subtitle, Turn, read_samples, write_samples
from lynx.benchmarks.subtitles import on_screen, read_subtitles
from lynx.benchmarks.videomme import TABLE, prompt, read
from lynx.errors import InputError

PARQUET = "videomme/test-00000-of-00001.parquet"
TABLE_AS_PUBLISHED = "; use the table as published"
SRT = """\ufeff1
00:00:01,000 --> 00:00:02,500
<font color="white" size=".72c">Put it in</font>
<font color="white" size=".72c">the pan.</font>

2
00:00:04,000 --> 00:00:05,000
<i></i>

3
00:01:00,500 --> 01:00:00,000
And wait.
"""


def _row(**changes: Any) -> dict[str, Any]:
    row = {
        "video_id": "901",
        "duration": "short",
        "domain": "Knowledge",
        "sub_category": "Law",
        "url": "-",
        "videoID": "toyvid00001",
        "question_id": "901-1",
        "task_type": "OCR Problems",
        "question": "Which word is on the sign?",
        "options": ["A. Stop.", "B. Go.", "C. Wait.", "D. Turn."],
        "answer": "A",
    }
    return {key: value for key, value in (row | changes).items() if value is not ...}


def _write(root: Path, *rows: dict[str, Any]) -> Path:
    (root / "videomme").mkdir(parents=True)
    (root / TABLE).write_text(json.dumps(rows))
    return root


def _refusal(root: Path, split: str = "test", allow_missing: float = 0.0) -> str:
    with pytest.raises(InputError) as caught:
        read(root, split, allow_missing)
    return str(caught.value)


def test_a_question_becomes_a_sample(tmp_path: Path) -> None:
    found = read(_write(tmp_path, _row()), "test")
    assert found.samples == [
        Sample(
            id="901-1",
            clip="toyvid00001",
            turns=(Turn(question="Which word is on the sign?", answer="A"),),
            references=("A",),
            type="OCR Problems",
            tags={"duration": "short", "domain": "Knowledge"},
            options=("Stop.", "Go.", "Wait.", "Turn."),
        )
    ]
    assert found.files == [tmp_path / TABLE]
    assert found.clip_files == {"toyvid00001": ("data/toyvid00001.mp4",)}


@pytest.mark.parametrize("ending", [".mp4", ".MP4", ".mkv"])
def test_videos_have_one_of_three_endings(tmp_path: Path, ending: str) -> None:
    root = _write(tmp_path, _row())
    (root / "data").mkdir()
    (root / f"data/toyvid00001{ending}").touch()
    assert read(root, "test").clip_files == {"toyvid00001": (f"data/toyvid00001{ending}",)}


def test_parquet_gives_the_same_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parquet's lists arrive as arrays of numpy, its empty cells as NaN."""
    expected = read(_write(tmp_path / "json", _row(domain=None)), "test")
    assert expected.samples[0].tags == {"duration": "short"}
    (tmp_path / "videomme").mkdir()
    (tmp_path / PARQUET).touch()
    opened: list[Path] = []

    def rows(path: Path) -> pd.DataFrame:
        opened.append(path)
        options = np.array(_row()["options"], dtype=object)
        return pd.DataFrame([_row(options=options, domain=float("nan"))])

    monkeypatch.setattr(pd, "read_parquet", rows)
    found = read(tmp_path, "test")
    assert found.samples == expected.samples
    assert found.files == opened == [tmp_path / PARQUET]


def test_parquet_without_a_library_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "videomme").mkdir()
    (tmp_path / PARQUET).touch()

    def no_engine(path: Path) -> pd.DataFrame:
        raise ImportError("Unable to find a usable engine")

    monkeypatch.setattr(pd, "read_parquet", no_engine)
    assert _refusal(tmp_path) == (
        f"{tmp_path / PARQUET}: found no library that reads Parquet, expected pyarrow; install it "
        "(pip install pyarrow), or write the rows with `pandas.read_parquet(...).to_json(..., "
        "orient='records')` on a machine that has it as videomme/test.json"
    )


def test_what_is_no_parquet_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "videomme").mkdir()
    (tmp_path / PARQUET).touch()

    def cut_off(path: Path) -> pd.DataFrame:
        raise ValueError("Parquet file size\nis 0 bytes")

    monkeypatch.setattr(pd, "read_parquet", cut_off)
    assert _refusal(tmp_path) == (
        f"{tmp_path / PARQUET}: not readable as Parquet (Parquet file size is 0 bytes), expected "
        "the table as published; get the file again"
    )


def test_no_table_says_how_to_get_it(tmp_path: Path) -> None:
    assert _refusal(tmp_path) == (
        f"{tmp_path}/videomme/test-*.parquet: file not found, expected the test annotation; copy "
        "the folder videomme of lmms-lab/Video-MME on the Hugging Face hub, and its archives "
        "unpacked to data and subtitle"
    )


OPTIONS = "expected four texts that open with 'A.', 'B.', 'C.' and 'D.'" + TABLE_AS_PUBLISHED


@pytest.mark.parametrize(
    ("row", "rest"),
    [
        (
            _row(answer="E"),
            "field 'answer': found 'E', expected one of A, B, C, D" + TABLE_AS_PUBLISHED,
        ),
        (
            _row(duration="tiny"),
            "field 'duration': found 'tiny', expected one of short, medium, long"
            + TABLE_AS_PUBLISHED,
        ),
        (
            _row(options=["Stop.", "B. Go.", "C. Wait.", "D. Turn."]),
            "field 'options': found ['Stop.', 'B. Go.', 'C. Wait.', 'D. Turn.'], " + OPTIONS,
        ),
        (
            _row(options=["A. Stop.", "B. Go.", "C. Wait.", None]),
            "field 'options': found ['A. Stop.', 'B. Go.', 'C. Wait.', None], " + OPTIONS,
        ),
        (_row(options=["A. Stop."]), "field 'options': found ['A. Stop.'], " + OPTIONS),
        (
            _row(videoID="../x"),
            "found the file name '../x', expected a relative name that stays below the media root; "
            "correct the file",
        ),
        (
            _row(question=...),
            "found no field 'question' among answer, domain, duration, options, question_id, "
            "sub_category, task_type, url, videoID, video_id, expected a string; use the file as "
            "published",
        ),
    ],
)
def test_faults_are_sentences(tmp_path: Path, row: dict[str, Any], rest: str) -> None:
    root = _write(tmp_path, row)
    assert _refusal(root) == f"{root / TABLE}: question '901-1': {rest}"


def test_questions_stand_once_and_are_not_empty(tmp_path: Path) -> None:
    root = _write(tmp_path / "twice", _row(), _row())
    assert _refusal(root) == (
        f"{root / TABLE}: found question '901-1' more than once, expected unique question ids; "
        "remove the duplicate"
    )
    root = _write(tmp_path / "empty", _row(), _row(question_id="901-2", question=""))
    assert _refusal(root) == (
        f"{root / TABLE}: question '901-2': found empty question (1 of 2 questions are unusable), "
        "expected at most the share allow_missing = 0; correct the file, or of a "
        "training split raise allow_missing"
    )
    assert read(root, "test", 0.5).dropped == {"empty question": 1}
    assert _refusal(root, "val") == "split: found 'val', expected one of test; correct the recipe"


def _subtitled(root: Path) -> Path:
    _write(root, _row(), _row(question_id="902-1", videoID="toyvid00002"))
    (root / "subtitle").mkdir()
    (root / "subtitle/toyvid00001.srt").write_text(SRT, encoding="utf-8")
    return root


SAID = (
    Subtitle(start=1.0, end=2.5, text="Put it in the pan."),
    Subtitle(start=60.5, end=3600.0, text="And wait."),
)


def test_subtitles_are_read_without_mark_up(tmp_path: Path) -> None:
    root = _subtitled(tmp_path)
    assert read_subtitles(root / "subtitle/toyvid00001.srt") == SAID
    found = videomme_subtitles.read(root, "test")
    assert [sample.subtitles for sample in found.samples] == [SAID, ()]
    assert [sample.tags["subtitles"] for sample in found.samples] == [
        "with subtitles",
        "without subtitles",
    ]
    assert found.files == [root / TABLE]
    assert all(not sample.subtitles for sample in read(root, "test").samples)


def test_only_what_is_on_screen_is_asked_with(tmp_path: Path) -> None:
    with_some, without = videomme_subtitles.read(_subtitled(tmp_path), "test").samples
    assert on_screen(SAID, [0.9, 2.6, 60.4]) == ()
    assert on_screen(SAID, [1.0]) == SAID[:1]
    assert on_screen(SAID, [3600.0, 2.5]) == SAID
    plain = prompt(with_some, 0).rpartition("\n\n")[0]
    ending = "\nThe best answer is:"
    shown = videomme_subtitles.at_moments(with_some, [0.0, 2.0, 4.5])
    assert videomme_subtitles.prompt(shown, 0) == (
        f"This video's subtitles are listed below:\nPut it in the pan.\n{plain}{ending}"
    )
    silent = videomme_subtitles.at_moments(with_some, [0.0])
    assert videomme_subtitles.prompt(silent, 0) == plain + ending
    assert videomme_subtitles.prompt(without, 0) == plain + ending


def test_subtitles_survive_their_table(tmp_path: Path) -> None:
    samples = videomme_subtitles.read(_subtitled(tmp_path), "test").samples
    write_samples(tmp_path / "samples.jsonl", samples)
    assert read_samples(tmp_path / "samples.jsonl") == samples
    lines = (tmp_path / "samples.jsonl").read_text().splitlines()
    assert ["subtitles" in json.loads(line) for line in lines] == [True, False]


def test_a_blank_line_within_a_subtitle_parts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.srt"
    path.write_text(
        "1\n00:00:01,000 --> 00:00:02,000\nPut it\n\nin 3 pans.\n\n2\n"
        "00:00:03,000 --> 00:00:04,000\n42\n"
    )
    assert [item.text for item in read_subtitles(path)] == ["Put it in 3 pans.", "42"]


def test_a_folder_without_any_subtitle_is_refused(tmp_path: Path) -> None:
    """Every question would be asked as of a video without subtitles."""
    _write(tmp_path, _row())
    with pytest.raises(InputError) as caught:
        videomme_subtitles.read(tmp_path, "test")
    assert str(caught.value).startswith(
        f"{tmp_path / 'subtitle'}: found no subtitles of any video of the table, expected "
        "<videoID>.srt; "
    )


def test_a_subtitle_without_times_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.srt"
    for text, line in (("1\nno times\n", 2), (SRT + "\n3\n0:1 --> 0:2\n", 3 + SRT.count("\n"))):
        path.write_text(text)
        with pytest.raises(InputError) as caught:
            read_subtitles(path)
        assert str(caught.value) == (
            f"{path}, line {line}: found {text.splitlines()[line - 1]!r}, expected times such as "
            "00:00:01,000 --> 00:00:02,500; get the file again"
        )
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"x.srt: found text that is not UTF-8 \(.*\), expected s"):
        read_subtitles(path)
