"""What surrounds lmms-eval: model arguments, requests, the journal, local tasks, its logs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from lynx.cli import app
from lynx.config.layout import Layout
from lynx.errors import InputError
from lynx.evaluate.lmms.arguments import ModelArguments
from lynx.evaluate.lmms.collect import Judged, read_log, read_package, score
from lynx.evaluate.lmms.journal import Answered, Journal
from lynx.evaluate.lmms.layouts import VIDEOMME_COLUMNS, mlvu, mvbench, read_layout, videomme
from lynx.evaluate.lmms.local_tasks import Item, Table, prepare
from lynx.evaluate.lmms.requests import Generation, Shown, read_messages
from lynx.evaluate.lmms.run import model_arguments
from lynx.evaluate.lmms.stage import run_lmms
from lynx.project import Project
from tests.command_line import call
from tests.lmms_project import write_mlvu, write_mvbench, write_videomme
from tests.unit.config_copy import ROOT, load


def told(caught: pytest.ExceptionInfo[InputError]) -> str:
    return str(caught.value)


def test_model_arguments_are_read_as_lmms_eval_gives_them() -> None:
    found = ModelArguments.read(
        {"adapter": "runs/0.5b/sft/lynx/llava_video/seed0", "root": "here", "batch_size": "4",
         "config": "a.yaml:b.yaml", "set": '{"seed":1}', "max_batch_size": None, "device": "cpu"}
    )  # fmt: skip
    assert found.adapter == Path("runs/0.5b/sft/lynx/llava_video/seed0")
    assert (found.root, found.batch_size, found.device) == (Path("here"), 4, "cpu")
    assert found.config == (Path("a.yaml"), Path("b.yaml"))
    assert (found.set, found.journal, found.benchmark) == ({"seed": 1}, None, None)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {},
            "--model_args: key 'adapter' is missing, expected the folder of a trained adapter; "
            "give adapter=runs/<scale>/sft/<variant>/<benchmark>/seed<k>",
        ),
        (
            {"adapter": "a", "pretrained": "b"},
            "--model_args: unknown key 'pretrained'; known keys are adapter, batch_size, "
            "benchmark, config, device, journal, root, set",
        ),
        (
            {"adapter": "a", "set": "scale=7b"},
            "--model_args: key 'set' is 'scale=7b', expected a JSON mapping without spaces; give "
            'for instance set={"scale":"0.5b"}',
        ),
        (
            {"adapter": "a", "device": "cuda:1"},
            "--device: found 'cuda:1', expected one of auto, cpu, cuda; choose a GPU by "
            "CUDA_VISIBLE_DEVICES",
        ),
        (
            {"adapter": "a", "batch_size": "auto"},
            "--batch_size: found 'auto', expected a whole number above 0; it is how many questions "
            "of one clip are answered together",
        ),
    ],
)
def test_wrong_model_arguments(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        ModelArguments.read(given)
    assert told(caught) == sentence


def test_arguments_that_lmms_eval_would_cut() -> None:
    files = [Path("c.yaml"), Path("d.yaml")]
    assert model_arguments(Path("runs/a"), "mlvu", files, {"seed": "1"}) == {
        "adapter": "runs/a", "benchmark": "mlvu", "config": "c.yaml:d.yaml", "set": '{"seed":"1"}',
    }  # fmt: skip
    with pytest.raises(InputError) as caught:
        model_arguments(Path("runs,old/a"), "mlvu", [], {})
    assert told(caught) == (
        "runs,old/a: found ',' in the path, expected none because lmms-eval separates its "
        "arguments by it; rename the file or folder"
    )


def user(*content: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(content)}]


VIDEO = {"type": "video", "url": "a.mp4", "start_time": None, "end_time": None}
TEXT = {"type": "text", "text": "What?"}


def test_a_request_is_one_video_and_its_text() -> None:
    assert read_messages("t", user(VIDEO, TEXT)) == (Shown(Path("a.mp4"), None), "What?")
    part = {**VIDEO, "start_time": 1.0, "end_time": 2.5}
    assert read_messages("t", user(part, TEXT))[0] == Shown(Path("a.mp4"), (1.0, 2.5))
    inner = {"path": "a.mp4", "video_start": 1, "video_end": 2}
    assert read_messages("t", user({**VIDEO, "url": inner}, TEXT))[0].bounds == (1.0, 2.0)
    open_end = {**VIDEO, "start_time": 3.0}
    assert read_messages("t", user(open_end, TEXT))[0].bounds == (3.0, 1e9)


def test_requests_that_no_adapter_is_trained_for() -> None:
    with pytest.raises(InputError) as caught:
        read_messages("t", user({"type": "image", "url": "a.png"}, TEXT))
    assert told(caught) == (
        "task t: found image, text in a question, expected one video and text; choose a task about "
        "single videos"
    )
    with pytest.raises(InputError) as caught:
        read_messages("t", [{"role": "system", "content": [TEXT]}, *user(VIDEO, TEXT)])
    assert told(caught) == (
        "task t: found turns of system, user, expected one of the user because the adapter was "
        "trained so; run tasks without few-shot examples, rounds or a system instruction"
    )


def test_generation_is_greedy_and_ends_where_the_task_says() -> None:
    kwargs = {"max_new_tokens": 16, "temperature": 0, "top_p": 1.0, "num_beams": 1,
              "do_sample": False, "until": ["\n\n"]}  # fmt: skip
    found = Generation.read("t", kwargs, 32)
    assert found == Generation(16, ("\n\n",))
    assert found.cut(" B\n\nbecause") == "B"
    assert Generation.read("t", {}, 32) == Generation(32, ())
    with pytest.raises(InputError) as caught:
        Generation.read("t", {"temperature": 0.7}, 32)
    assert told(caught) == (
        "task t: found temperature=0.7, expected temperature=0 because answers are greedy; leave "
        "it out of --gen_kwargs"
    )


def test_the_journal_goes_on_behind_a_cut_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "journal.jsonl"
    rows = [Answered("t", 0, "What?", "B", None), Answered("t", 1, "Who?", "", "x.mp4: gone")]
    Journal.open(path).add(rows)
    with path.open("a") as stream:
        stream.write('{"task": "t", "do')
    journal = Journal.open(path)
    assert journal.find("t", 0, "What?") == rows[0]
    assert journal.find("t", 0, "Another?") is None
    assert journal.find("t", 2, "What?") is None
    assert journal.unreadable == rows[1:]
    assert path.read_text().count("\n") == 2
    assert "do" not in path.read_text().splitlines()[-1].partition("x.mp4")[2]
    journal.report()
    assert caplog.messages == [
        "no answer: x.mp4: gone",
        "questions without an answer, which counts as wrong: 1",
    ]


def test_a_changed_line_leaves_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    rows = [Answered("t", number, "What?", "B", None) for number in range(3)]
    Journal.open(path).add(rows)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[1].replace('"B"', '"A"') + lines[2])
    journal = Journal.open(path)
    assert [journal.find("t", number, "What?") for number in range(3)] == [rows[0], None, rows[2]]
    assert path.read_text() == lines[0] + lines[2]


def test_another_file_is_not_taken_for_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("Some\nnotes\nwithout an end")
    with pytest.raises(InputError) as caught:
        Journal.open(path)
    assert told(caught) == (
        f"{path}: found no line with its own hash among 2, expected answers that were kept in it; "
        "name another file for the journal, or delete this one"
    )
    assert path.read_text() == "Some\nnotes\nwithout an end"


def test_local_tasks_are_the_packages_own(tmp_path: Path) -> None:
    write_videomme(tmp_path / "data")
    found = videomme(tmp_path / "data", tmp_path / "out")
    prepare(found, tmp_path / "out")
    (path,) = (tmp_path / "out/tasks").iterdir()
    include, *rest = path.read_text().splitlines()
    assert include.endswith("lmms_eval/tasks/videomme/videomme.yaml")
    assert Path(include.removeprefix("include: ")).is_file()
    assert rest[:2] == ["task: videomme_local", "dataset_path: parquet"]
    assert (tmp_path / "out/home/videomme/data/one.mp4").is_file()
    assert [item.id for item in found.tables[0].items][-2:] == ["cut-1", "cut-2"]


def test_what_else_lies_beside_the_tasks_is_left_alone(tmp_path: Path) -> None:
    write_videomme(tmp_path / "data")
    out = tmp_path / "out"
    (out / "tasks").mkdir(parents=True)
    (out / "tasks/mine.yaml").write_text("task: mine")
    (out / "tasks/mlvu_dev_local.yaml").write_text("task: mlvu_dev_local")  # of another data set
    found = videomme(tmp_path / "data", out)
    prepare(found, out)
    assert {path.name for path in (out / "tasks").iterdir()} == {
        "mine.yaml",
        "videomme_local.yaml",
    }
    (out / "home/videomme").unlink()
    (out / "home/videomme").mkdir()
    with pytest.raises(InputError) as caught:
        prepare(found, out)
    assert told(caught) == (
        f"{out}/home/videomme: found a file or folder, expected nothing or a link because the "
        "videos are linked there; choose another folder for the tasks"
    )


NOT_INSTALLED = (
    "the Python package lmms-eval: not installed, expected it because tasks are made of its own; "
    "run `make setup`, or envs/cpu.post-deploy.sh in a conda environment"
)


def test_without_the_package_there_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_videomme(tmp_path / "data")
    write_mvbench(tmp_path / "mvbench")
    monkeypatch.setitem(sys.modules, "lmms_eval", None)
    for benchmark, data in (("videomme", "data"), ("mvbench", "mvbench")):
        places = ("--data", str(tmp_path / data), "--target", str(tmp_path / "out"))
        asked = call(monkeypatch, capsys, "lmms-tasks", "--benchmark", benchmark, *places)
        assert (asked.code, asked.said) == (2, f"lynx: {NOT_INSTALLED}")


def test_the_rule_needs_the_package_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("lynx.evaluate.lmms.local_tasks.version", absent)
    project = Project(load({"scale": "0.5b", "benchmarks": ["mlvu"]}), Layout(ROOT, "0.5b"))
    with pytest.raises(InputError) as caught:
        run_lmms(project, "lynx", "mlvu", [], {})
    assert told(caught) == NOT_INSTALLED


def climbing(sentence: str) -> str:
    return (
        f"{sentence}: found the file name '../../../../etc/x.mp4', expected a relative name that "
        "stays below the media root; correct the file"
    )


@pytest.mark.parametrize(
    ("write", "read", "table"),
    [
        (write_mvbench, mvbench, "json/moving_count.json"),
        (write_mlvu, mlvu, "json/1_plotQA.json"),
    ],
)
def test_a_video_outside_the_data_is_refused(
    write: Callable[[Path], None],
    read: Callable[[Path, Path], object],
    table: str,
    tmp_path: Path,
) -> None:
    write(tmp_path)
    path = tmp_path / table
    row = json.loads(path.read_text())[0]
    path.write_text(json.dumps([row, {**row, "video": "../../../../etc/x.mp4"}]))
    with pytest.raises(InputError) as caught:
        read(tmp_path, tmp_path / "out")
    assert told(caught) == climbing(f"{path}, item 1 (from 0)")


def test_a_video_outside_the_data_is_refused_in_tables(tmp_path: Path) -> None:
    columns = ("question", "answer", "task_type")
    for name in ("data", "video", "videomme"):
        (tmp_path / name).mkdir()
    path = tmp_path / "videomme/test-00000-of-00001.parquet"
    row = {"video_name": "../../../../etc/x.mp4", **dict.fromkeys(columns, "A")}
    pd.DataFrame([row]).to_parquet(path)
    with pytest.raises(InputError) as caught:
        mlvu(tmp_path, tmp_path / "out")
    assert told(caught) == climbing(f"{path}, item 0 (from 0)")
    known = dict.fromkeys(VIDEOMME_COLUMNS, "A")
    pd.DataFrame([{**known, "videoID": "../../../../etc/x.mp4"}]).to_parquet(path)
    with pytest.raises(InputError) as caught:
        videomme(tmp_path, tmp_path / "out")
    assert told(caught) == climbing(f"{path}, item 0 (from 0)")


def test_mvbench_cuts_what_is_not_cut(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_mvbench(root)
    found = mvbench(root, tmp_path / "out")
    assert [table.name for table in found.tables] == [
        "mvbench_action_sequence_local", "mvbench_moving_count_local",
    ]  # fmt: skip
    sequence, count = found.tables
    assert sequence.changes == {"doc_to_visual": "lynx.evaluate.lmms.cut.part_of_video"}
    assert count.changes == {}
    assert found.links["mvbench_video/star/Charades_segment"] == root / "video/star/Charades_v1_480"
    assert len(found.absent) == 18
    (root / "video/star/Charades_segment").mkdir()
    again = mvbench(root, tmp_path / "out")
    assert again.tables[0].changes == {}
    assert (
        again.links["mvbench_video/star/Charades_segment"] == root / "video/star/Charades_segment"
    )


def test_episodic_reasoning_names_its_cut_videos(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_mvbench(root)
    folder = root / "video/tvqa/video_fps3_hq_segment"
    folder.mkdir(parents=True)
    (folder / "s01.mp4").touch()
    row = {"video": "s01", "question": "Why?", "candidates": ["a", "b"], "answer": "a"}
    (root / "json/episodic_reasoning.json").write_text(json.dumps([row]))
    tables = {table.task: table for table in mvbench(root, tmp_path / "out").tables}
    (item,) = tables["mvbench_episodic_reasoning"].items
    assert (item.id, item.clip) == (
        "episodic_reasoning-0",
        "tvqa/video_fps3_hq_segment/s01.mp4",
    )
    assert json.loads(tables["mvbench_episodic_reasoning"].paths[0].read_text())[0] == {
        **row, "video": "s01.mp4",
    }  # fmt: skip


def test_mlvu_rows_hold_their_options(tmp_path: Path) -> None:
    write_mlvu(tmp_path / "data")
    (table,) = mlvu(tmp_path / "data", tmp_path / "out").tables
    rows = json.loads(table.paths[0].read_text())
    assert rows[0] == {
        "video_name": "1_plotQA/v.mp4",
        "question": "What is plotQA?\n(A) cup\n(B) key\n(C) pen\n(D) box",
        "answer": "B",
        "task_type": "plotQA",
    }
    assert [item.id for item in table.items][-2:] == ["topic_reasoning-0", "topic_reasoning-1"]


def test_what_a_folder_lacks_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_layout("scanqa", tmp_path, tmp_path)
    assert told(caught) == (
        "--benchmark scanqa: has no tasks of lmms-eval here, expected one of videomme, mvbench, "
        "mlvu; choose one"
    )
    with pytest.raises(InputError) as caught:
        read_layout("videomme", tmp_path, tmp_path)
    assert told(caught) == (
        f"{tmp_path}/data: found no such folder, expected one; unpack the archives of "
        "lmms-lab/Video-MME there"
    )
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError) as caught:
        read_layout("videomme", tmp_path, tmp_path)
    assert told(caught) == (
        f"{tmp_path}/videomme: found no test-*.parquet, expected the table of lmms-lab/Video-MME; "
        "copy its folder videomme"
    )


def test_a_table_without_a_column_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "videomme").mkdir()
    path = tmp_path / "videomme/test.json"
    path.write_text(json.dumps([{"question_id": "1-1", "videoID": "a", "duration": "short"}]))
    with pytest.raises(InputError) as caught:
        videomme(tmp_path, tmp_path)
    assert told(caught) == (
        f"{path}, item 0 (from 0): found no field 'domain', expected it because lmms-eval scores "
        "by it; use the table as published"
    )


ROW = {"video": "v.mp4", "question": "What?", "candidates": ["cup", "key"], "answer": "key"}


@pytest.mark.parametrize(
    ("changes", "rest"),
    [
        (
            {"video": ...},
            "found no field 'video' among answer, candidates, question, expected a string; use the "
            "file as published",
        ),
        (
            {"candidates": ["cup", None]},
            "field 'candidates': found ['cup', None], expected 2 to 8 texts; use the file as "
            "published",
        ),
        (
            {"answer": ...},
            "found the answer None, expected one of its candidates; use the file as published",
        ),
        (
            {"question": 3},
            "field 'question': found an integer, expected a string; use the file as published",
        ),
    ],
)
def test_faulty_rows_of_mlvu_are_sentences(
    tmp_path: Path, changes: dict[str, object], rest: str
) -> None:
    write_mlvu(tmp_path)
    path = tmp_path / "json/1_plotQA.json"
    row = {key: value for key, value in (ROW | changes).items() if value is not ...}
    path.write_text(json.dumps([row]))
    with pytest.raises(InputError) as caught:
        mlvu(tmp_path, tmp_path / "out")
    assert told(caught) == f"{path}, item 0 (from 0): {rest}"


def test_a_row_of_mvbench_without_its_video_is_a_sentence(tmp_path: Path) -> None:
    write_mvbench(tmp_path)
    path = tmp_path / "json/moving_count.json"
    path.write_text(
        json.dumps([{"question": "How many?", "candidates": ["1", "2"], "answer": "1"}])
    )
    with pytest.raises(InputError) as caught:
        mvbench(tmp_path, tmp_path / "out")
    assert told(caught) == (
        f"{path}, item 0 (from 0): found no field 'video' among answer, candidates, question, "
        "expected a string; use the file as published"
    )


@pytest.mark.parametrize("read", [videomme, mlvu])
def test_a_table_that_is_no_parquet_is_a_sentence(
    tmp_path: Path, read: Callable[[Path, Path], object]
) -> None:
    for name in ("data", "video", "videomme"):
        (tmp_path / name).mkdir()
    path = tmp_path / "videomme/test-00000-of-00001.parquet"
    path.write_bytes(b"cut short")
    with pytest.raises(InputError) as caught:
        read(tmp_path, tmp_path / "out")
    assert told(caught).startswith(f"{path}: not readable as Parquet (")
    assert told(caught).endswith("expected the table as published; get the file again")


TABLE = Table(
    "mlvu_dev", "mlvu/mlvu_dev.yaml", (), (Item("a", "v", "ego"), Item("b", "v", "ego")), "t"
)


def log_rows(*answers: tuple[int, str, str]) -> str:
    rows = [
        {"doc_id": number, "filtered_resps": text, "input": "?", "target": "B",
         "mlvu_percetion_score": {"pred_answer": letter, "answer": "B"}}
        for number, text, letter in answers
    ]  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_log_must_be_about_every_item(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(log_rows((1, "(B)", "B"), (0, "", "")))
    found = read_log(path, TABLE)
    assert [(each.item.id, each.text, each.right) for each in found] == [
        ("a", "", False),
        ("b", "(B)", True),
    ]
    path.write_text(log_rows((0, "B", "B")))
    with pytest.raises(InputError) as caught:
        read_log(path, TABLE)
    assert told(caught) == (
        f"{path}: found answers to 1 items, expected each of the 2 once; run it again without "
        "--limit"
    )


def test_an_empty_answer_is_never_right() -> None:
    judged = [
        Judged(Item("a", "v", "ego"), "B", True),
        Judged(Item("b", "v", "ego"), "", False),
        Judged(Item("c", "w", "order"), "B", True),
    ]
    assert score(judged) == {
        "metrics": {"accuracy": 2 / 3, "mean_accuracy": 3 / 4},
        "groups": {
            "ego": {"accuracy": 1 / 2, "count": 2},
            "order": {"accuracy": 1.0, "count": 1},
        },
        "count": 3,
        "empty": 1,
    }


def test_without_results_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_package(tmp_path, [TABLE])
    assert told(caught) == (
        f"{tmp_path}: found no results of lmms-eval, expected one *_results.json; its messages "
        "above say what went wrong"
    )


def test_both_commands_are_there() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    assert "lmms-eval" in shown
    assert "lmms-tasks" in shown
