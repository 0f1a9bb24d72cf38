"""lmms-eval itself runs the plug-in, offline, on rendered data in the hub datasets' layouts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from lynx.artifacts.manifest import named, parent_entry
from lynx.artifacts.sealed import sealed_line
from lynx.artifacts.verify import other_parent, require_stage
from lynx.benchmarks.sample import write_samples
from lynx.benchmarks.stage import read_split, run_data
from lynx.errors import InputError
from lynx.evaluate.lmms.collect import Judged, read_log, read_package, score
from lynx.evaluate.lmms.layouts import mlvu, mvbench
from lynx.evaluate.lmms.local_tasks import LocalTasks, prepare
from lynx.evaluate.lmms.requests import Shown, read_messages
from lynx.evaluate.lmms.run import command, run
from lynx.evaluate.lmms.stage import run_lmms
from lynx.evaluate.predictions import read_predictions
from lynx.project import Project, StageRun
from lynx.report.verification import verify
from tests.lmms_project import (
    ADAPTER,
    lmms_project,
    write_clip,
    write_mlvu,
    write_mvbench,
    write_videomme,
)
from tests.project_copy import copy_project, edit_yaml, load

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that answers B, with data of all three benchmarks; read-only by convention."""
    project = lmms_project(tmp_path_factory.mktemp("lmms") / "project")
    data = project.layout.root / "data"
    write_videomme(data / "videomme")
    write_mvbench(data / "mvbench")
    write_mlvu(data / "mlvu")
    return project


@pytest.fixture(scope="module")
def videomme(project: Project) -> dict[str, Any]:
    """The stage's report on Video-MME."""
    run_data(project, "videomme")
    run_lmms(project, "lynx", "videomme", [], {})
    path = project.layout.lmms_metrics("lynx", "videomme", 0)
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def test_every_question_of_videomme_is_answered(project: Project, videomme: dict[str, Any]) -> None:
    folder = project.layout.lmms("lynx", "videomme", 0)
    assert read_predictions(folder) == {
        "one-1": "B", "one-2": "B", "two-1": "B", "two-2": "B", "cut-1": "", "cut-2": "",
    }  # fmt: skip
    lines = (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0]) == {"question_id": "one-1", "scene_id": "one", "text": "B"}
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["counts"] == {"answered": 6, "empty": 2, "unreadable": 1}
    assert [parent["stage"] for parent in manifest["parents"]] == ["base", "data", "sft"]
    own = sorted(entry["path"].partition("_")[2] for entry in manifest["files"][:2])
    assert [name.partition("_")[2][7:] for name in own] == [
        "results.json",
        "samples_videomme_local.jsonl",
    ]


def test_a_video_that_cannot_be_read_stays_in_the_count(videomme: dict[str, Any]) -> None:
    assert videomme["metrics"] == {"accuracy": 3 / 6, "mean_accuracy": (1 / 4 + 2 / 2) / 2}
    assert videomme["groups"] == {
        "short": {"accuracy": 1 / 4, "count": 4},
        "long": {"accuracy": 1.0, "count": 2},
    }
    assert (videomme["count"], videomme["empty"]) == (6, 2)
    ((clip, reason),) = videomme["unreadable"].items()
    assert clip == "cut"
    assert "data/cut.mp4: found 8 bytes that do not open as media" in reason


def test_what_lmms_eval_says_itself_stands_beside(videomme: dict[str, Any]) -> None:
    said = videomme["lmms_eval"]
    assert said["version"] == "0.7.3"
    assert said["results"]["videomme_local"]["videomme_perception_score,none"] == 50.0
    assert set(said["task_hashes"]) == set(said["task_versions"]) == {"videomme_local"}
    assert len(said["prompts"]["videomme_local"]) == 64


def test_more_unreadable_videos_than_allowed(
    project: Project, videomme: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = project.experiment.recipes["videomme"].frames.model_copy(update={"allow_missing": 0.3})
    recipe = project.experiment.recipes["videomme"].model_copy(update={"frames": frames})
    strict = project.experiment.model_copy(
        update={"recipes": {**project.experiment.recipes, "videomme": recipe}}
    )
    output = project.layout.lmms("lynx", "videomme", 0) / "lmms_eval"
    reason = next(iter(videomme["unreadable"].values()))

    def answer(words: list[str], folder: Path, root: Path) -> None:
        """What the run of the fixture left behind."""
        (folder / "output").mkdir()
        for path in output.iterdir():
            (folder / "output" / path.name).write_bytes(path.read_bytes())
        row = {"task": "videomme_local", "doc": 4, "question": "", "text": "", "unreadable": reason}
        (folder / "journal.jsonl").write_text(sealed_line(row), encoding="utf-8")

    monkeypatch.setattr("lynx.evaluate.lmms.stage.run", answer)
    with pytest.raises(InputError) as caught:
        run_lmms(Project(strict, project.layout), "lynx", "videomme", [], {})
    assert str(caught.value) == f"{reason} (1 of 3 clips cannot be read, allow_missing = 0.3)"


@pytest.fixture
def other(project: Project, videomme: dict[str, Any], tmp_path: Path) -> Path:
    """A copy of the project with its tables, which the test may spoil."""
    return copy_project(project.layout.root, tmp_path / "other")


def refusal(project: Project) -> str:
    """Why the stage does not start; lmms-eval would take minutes."""
    with pytest.raises(InputError) as caught:
        run_lmms(project, "lynx", "videomme", [], {})
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "folder", "section"),
    [
        ("sft.optimizer.learning_rate", ADAPTER, "optimizer"),
        ("align.moment_weight", Path("runs/demo/align/fastvideo/seed0"), "align"),
    ],
)
def test_an_adapter_of_another_recipe(other: Path, key: str, folder: Path, section: str) -> None:
    assert refusal(load(other, overrides={key: 0.5})) == (
        f"{other / folder}: an adapter of another recipe ({section} differ); run its rule again or "
        "restore the recipe"
    )


def test_a_vision_adapter_made_anew(other: Path) -> None:
    """The language adapter has learned to read the X of the one before."""
    project = load(other)
    folder, features = (
        other / f"runs/demo/{name}/seed0"
        for name in ("align/fastvideo", "features/llava_video/train/aligned")
    )
    before = require_stage(folder, "align", deep=True)
    run = StageRun.prepare(
        project, "align", folder, before.settings, [("base", project.layout.base)], 0
    )
    with run.publish() as draft:
        shutil.copytree(folder / "vision", draft.folder / "vision")
        (draft.folder / "training.jsonl").touch()
    assert refusal(project) == other_parent(features, named(folder, before), parent_entry(folder))


def test_what_was_trained_on_is_not_asked(other: Path) -> None:
    """Of another set whose videos lie in the same folder."""
    site = yaml.safe_load((other / "config/site.yaml").read_text(encoding="utf-8"))
    one_folder = {"videomme": "data", "llava_video": "data"}
    edit_yaml(other / "config/site.yaml", {"data": site["data"] | one_folder})
    project = load(other)
    data = project.layout.data("llava_video")
    (asked, *_) = read_split(project, "videomme", "test")
    before = require_stage(data, "data")
    with StageRun.prepare(project, "data", data, before.settings, []).publish() as draft:
        write_samples(draft.folder / "train.jsonl", [asked])
    assert refusal(project) == (
        f"split 'test' of videomme: question {asked.id!r} is about {asked.clip!r}, found the same "
        f"place among the training clips of llava_video ({asked.clip!r}), expected no place in "
        "both; use the splits as published"
    )


@pytest.fixture(scope="module")
def judged(project: Project) -> Callable[[str], list[Judged]]:
    """All items of MVBench and MLVU, asked in one process of lmms-eval; by prefix of the task."""
    root, folder = project.layout.root, project.layout.root / "tasks"
    both = [mvbench(root / "data/mvbench", folder), mlvu(root / "data/mlvu", folder)]
    tables = tuple(table for tasks in both for table in tasks.tables)
    prepare(LocalTasks(tables, {**both[0].links, **both[1].links}), folder)
    run(command({"adapter": str(ADAPTER)}, tables, folder, root / "output", 4), folder, root)
    found = read_package(root / "output", tables)
    assert found.results["mvbench_moving_count_local"]["mvbench_accuracy,none"] == 50.0
    logs = list(zip(tables, found.files[1:], strict=True))

    def of(prefix: str) -> list[Judged]:
        chosen = [pair for pair in logs if pair[0].task.startswith(prefix)]
        return [each for table, log in chosen for each in read_log(log, table)]

    return of


def test_mvbench_counts_an_empty_answer(judged: Callable[[str], list[Judged]]) -> None:
    found = judged("mvbench")
    assert [(each.item.id, each.item.clip, each.text, each.right) for each in found] == [
        ("action_sequence-0", "star/Charades_v1_480/b.mp4@0.0-1.0", "B", True),
        ("action_sequence-1", "star/Charades_v1_480/b.mp4@1.0-2.0", "B", False),
        ("moving_count-0", "clevrer/video_validation/a.mp4", "B", True),
        ("moving_count-1", "clevrer/video_validation/a.mp4", "B", False),
        ("moving_count-2", "clevrer/video_validation/absent.mp4", "", False),
    ]
    # lmms-eval itself says 50 % of moving_count: it leaves the empty answer out.
    assert score(found)["metrics"] == {
        "accuracy": pytest.approx(2 / 5),
        "mean_accuracy": pytest.approx((1 / 2 + 1 / 3) / 2),
    }


def test_mlvu_has_both_averages(judged: Callable[[str], list[Judged]]) -> None:
    found = score(judged("mlvu"))
    assert found["metrics"] == {
        "accuracy": pytest.approx(4 / 8),
        "mean_accuracy": pytest.approx((3 * 1 + 3 * 0 + 1 / 2) / 7),
    }
    assert (found["count"], found["empty"]) == (8, 0)


def test_lmms_eval_finds_the_model() -> None:
    from lmms_eval.models import get_model, get_model_manifest

    assert get_model_manifest("lynx").chat_class_path == "lynx.evaluate.lmms.model.LynxModel"
    model = get_model("lynx")
    with pytest.raises(InputError) as caught:
        model.create_from_arg_string("adaptor=runs/demo", {"batch_size": 1})
    assert str(caught.value) == ("--model_args: unknown key 'adaptor'; did you mean 'adapter'?")
    with pytest.raises(InputError) as caught:
        model.loglikelihood(None, [SimpleNamespace(task_name="mmlu")])
    assert str(caught.value) == (
        "task mmlu: asks for likelihoods, expected one generated answer to each question; choose "
        "tasks of output_type generate_until"
    )


def test_parts_of_videos_reach_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lmms_eval.api.task import ConfigurableMessagesTask
    from lmms_eval.protocol import ChatMessages

    from lynx.evaluate.lmms import cut

    monkeypatch.setattr(cut, "mvbench_doc_to_visual", lambda doc, kwargs: [str(tmp_path / "b.mp4")])
    visuals = cut.part_of_video({"video": "b.mp4", "start": 1.5, "end": 2.0}, {"sub_task": "any"})
    turns = ConfigurableMessagesTask._build_user_turn(visuals, "What?")
    messages = ChatMessages(messages=turns).model_dump()["messages"]
    assert read_messages("t", messages) == (Shown(tmp_path / "b.mp4", (1.5, 2.0)), "What?")


def ask(model: Any, asked: list[tuple[Path, tuple[float, float] | None, str]]) -> list[str]:
    """Put questions (video, part, text) to a model as lmms-eval does."""
    documents = []
    for path, part, text in asked:
        video = {"type": "video", "url": str(path)}
        if part is not None:
            video |= {"start_time": part[0], "end_time": part[1]}
        content = [video, {"type": "text", "text": text}]
        documents.append([{"role": "user", "content": content}])
    model.task_dict = {"task": {"test": documents}}
    kwargs = {"max_new_tokens": 4, "do_sample": False, "until": ["\n\n"]}
    return model.generate_until(
        [
            SimpleNamespace(args=("", lambda messages: messages, kwargs, number, "task", "test"))
            for number in range(len(asked))
        ]
    )


def test_answers_are_those_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lynx.evaluate.lmms.model import LynxModel
    from lynx.evaluate.own_clip import open_own_clip
    from lynx.evaluate.trained import OpenedAdapter, Trained
    from lynx.features.encode import StreamEncoder
    from lynx.model.generate import generate_answers

    project = lmms_project(tmp_path / "random", answers_b=False)
    root = project.layout.root
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    write_clip(first, frames=50)
    write_clip(second, first=90)
    model = LynxModel(
        adapter=str(root / ADAPTER), root=str(root), journal=str(tmp_path / "journal"), batch_size=1
    )
    encoded: list[str] = []
    encode = StreamEncoder.encode

    def counting(self: StreamEncoder, clip: str) -> object:
        encoded.append(f"{clip} {self.stream}")
        return encode(self, clip)

    monkeypatch.setattr(StreamEncoder, "encode", counting)
    asked = [(first, None, "What?"), (second, None, "Where?"), (first, None, "Who is it?"),
             (first, (1.0, 1.5), "What?")]  # fmt: skip
    answers = ask(model, asked)
    assert encoded == ["first video", "first aligned", "second video", "second aligned",
                       "first video", "first aligned"]  # fmt: skip
    opened = OpenedAdapter.load(project, Trained.open(project, root / ADAPTER))
    for (path, part, text), answer in zip(asked, answers, strict=True):
        with open_own_clip(project, "llava_video", [path], part) as clip:
            streams = opened.encode(clip)
        (ids,) = generate_answers(
            opened.base, streams, opened.chats([text]), max_new_tokens=4, min_new_tokens=1
        )
        assert answer == opened.chat.decode(ids).split("\n\n")[0].strip()
    assert len(set(answers)) > 1
    encoded.clear()
    assert ask(model, asked) == answers
    assert encoded == []  # the journal knows them


def test_the_score_is_verified_with_its_answers(
    project: Project, videomme: dict[str, Any], tmp_path: Path
) -> None:
    """Whole as it stands; an edited value and other answers are named."""
    root = copy_project(project.layout.root, tmp_path / "copy")
    path = root / "results/demo/lynx/videomme/seed0/lmms_eval.json"
    links = verify([path], deep=True, root=root)
    assert [each.stage for each in links][-2:] == ["lmms", "lmms-eval's score"]
    assert links[-1].problems == links[-2].problems == []
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"count": 6', '"count": 7'), encoding="utf-8")
    assert verify([path], deep=False, root=root)[-1].problems == [
        f"{path}: its values do not hash to its own content field; the file was edited, so run the "
        "lmms rule again"
    ]
    path.write_text(text, encoding="utf-8")
    manifest = root / project.layout.lmms("lynx", "videomme", 0).relative_to(project.layout.root)
    manifest = manifest / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (problem,) = verify([path], deep=False, root=root)[-1].problems
    assert problem.startswith(f"{path}: the score of answers {videomme['predictions'][:12]}, but ")
