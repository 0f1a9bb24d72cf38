"""`kill -9` in the middle of align, sft and predict; the same command again ends undisturbed."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import MANIFEST_NAME
from lynx.artifacts.verify import verify_files
from lynx.benchmarks.sample import read_samples
from tests.command_line import Outcome
from tests.project_copy import start

# Many short steps, so that there is time between the first checkpoint and the end.
OVERRIDES = {
    "align.optimizer.epochs": 12,
    "sft.optimizer.epochs": 8,
    "evaluate.max_new_tokens": 12,
    "evaluate.min_new_tokens": 12,
    "evaluate.questions_per_batch": 1,
}
STEPS = {"align": 12 * 6, "sft": 8 * 9}
ALIGN = ("align", "--name", "3d")
SFT = ("sft", "--variant", "lynx", "--benchmark", "scanqa")
PREDICT = ("predict", "--variant", "lynx", "--benchmark", "scanqa")


def setting(*keys: str) -> tuple[str, str]:
    chosen = {key: OVERRIDES[key] for key in OVERRIDES if key.startswith(keys)}
    return "--set", f"overrides={json.dumps(chosen)}"


class Stopped:
    """A command in a process of its own, held still once it has got as far as `reached` says."""

    def __init__(self, root: Path, arguments: tuple[str, ...], reached: Callable[[], bool]) -> None:
        self.process = start(root, *arguments)
        deadline = time.monotonic() + 120
        while not reached():
            assert self.process.poll() is None, "the command ended before it could be stopped"
            assert time.monotonic() < deadline, "the command did not get that far"
            time.sleep(0.001)
        self.process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self.process.kill()
        assert self.process.wait(timeout=30) == -signal.SIGKILL


def new_state(root: Path, stage: str) -> list[Path]:
    """State folders of a stage that the finished project did not have."""
    return [path for path in (root / "work").glob(f"{stage}-*") if path.name not in known(root)]


def known(root: Path) -> list[str]:
    return (root / "known.txt").read_text(encoding="utf-8").split()


@pytest.fixture
def marked(root: Path) -> Path:
    names = [path.name for path in (root / "work").iterdir()]
    (root / "known.txt").write_text("\n".join(names), encoding="utf-8")
    return root


def kill_and_repeat(
    root: Path,
    lynx: Callable[..., Outcome],
    arguments: tuple[str, ...],
    target: Path,
    reached: Callable[[], bool],
) -> None:
    before = (target / MANIFEST_NAME).read_bytes()
    stopped = Stopped(root, arguments, reached)
    (state,) = new_state(root, arguments[0])
    try:
        second = lynx(*arguments)
    finally:
        stopped.kill()
    assert second.code == 2
    assert second.said == (
        f"lynx: work/{state.name}: process {stopped.process.pid} on {socket.gethostname()} is "
        f"writing this state; wait for it or stop it (`kill {stopped.process.pid}`), then run the "
        "same command again"
    )
    assert (target / MANIFEST_NAME).read_bytes() == before, "the older artefact stays as it was"
    verify_files(target, deep=True)
    outcome = lynx(*arguments)
    assert outcome.code == 0, outcome.err
    assert (target / MANIFEST_NAME).read_bytes() != before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "target", "adapter"),
    [
        ((*ALIGN, *setting("align")), Path("runs/demo/align/3d/seed0"), "vision"),
        ((*SFT, *setting("sft")), Path("runs/demo/sft/lynx/scanqa/seed0"), "language"),
    ],
    ids=["align", "sft"],
)
def test_training_goes_on_to_the_same_adapter(
    marked: Path,
    lynx: Callable[..., Outcome],
    undisturbed: Callable[..., Path],
    arguments: tuple[str, ...],
    target: Path,
    adapter: str,
) -> None:
    stage = arguments[0]

    def reached() -> bool:
        return any(len(list(path.glob("step-*"))) == 2 for path in new_state(marked, stage))

    kill_and_repeat(marked, lynx, arguments, marked / target, reached)
    other = undisturbed(*arguments)
    for name in (f"{adapter}/adapter_model.safetensors", f"{adapter}/adapter_config.json"):
        assert hash_file(marked / target / name) == hash_file(other / target / name), name
    log = (marked / target / "training.jsonl").read_text(encoding="utf-8")
    assert log == (other / target / "training.jsonl").read_text(encoding="utf-8")
    steps = [json.loads(line)["step"] for line in log.splitlines()]
    assert steps == list(range(1, STEPS[stage] + 1))


@pytest.mark.slow
def test_answers_are_those_of_an_undisturbed_run(
    marked: Path, lynx: Callable[..., Outcome], undisturbed: Callable[..., Path]
) -> None:
    arguments, target = (
        (*PREDICT, *setting("evaluate")),
        Path("runs/demo/predictions/lynx/scanqa/seed0"),
    )

    def lines() -> int:
        files = [path / "answers.jsonl" for path in new_state(marked, "predict")]
        return sum(file.read_bytes().count(b"\n") for file in files if file.is_file())

    kill_and_repeat(marked, lynx, arguments, marked / target, lambda: lines() >= 3)
    other = undisturbed(*arguments)
    name = target / "predictions.jsonl"
    assert hash_file(marked / name) == hash_file(other / name)
    samples = read_samples(marked / "runs/demo/data/scanqa/test_w_obj.jsonl")
    rows = [json.loads(line) for line in (marked / name).read_text(encoding="utf-8").splitlines()]
    assert [row["question_id"] for row in rows] == [sample.id for sample in samples]
    assert lines() == len(samples), "each question was answered once"
