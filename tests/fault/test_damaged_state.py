"""Saved state that was cut, emptied or changed by a bit; the next run ends as if undisturbed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch

from lynx.benchmarks.sample import Sample, Turn
from lynx.evaluate.predict import ANSWERS_NAME, answer_all
from lynx.model.chat import ChatEncoder
from lynx.training.loop import LOG_NAME, Training, run_training
from tests.unit.test_training_loop import StoppedError, linear_run, stopping

STATE, META = "step-00000012/state.safetensors", "step-00000012/meta.json"


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES: dict[str, Callable[[Path], None]] = {"flipped bit": flip, "cut": cut, "empty": empty}


def weights(run: Training[int, torch.Tensor]) -> bytes:
    return b"".join(item.detach().numpy().tobytes() for item in run.parameters.values())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, float]], bytes, bytes]:
    """Records, weights and log of the undisturbed run: 60 steps, a checkpoint every 3."""
    run, state = linear_run(epochs=10), tmp_path_factory.mktemp("whole")
    records = run_training(run, state)
    return records, weights(run), (state / LOG_NAME).read_bytes()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [STATE, META, LOG_NAME])
def test_a_damaged_checkpoint(
    tmp_path: Path, whole: tuple[list[dict[str, float]], bytes, bytes], name: str, damage: str
) -> None:
    with pytest.raises(StoppedError):
        run_training(stopping(linear_run(epochs=10), calls=28), tmp_path)
    assert (tmp_path / STATE).is_file(), "the newest is of step 12"
    DAMAGES[damage](tmp_path / name)
    run = linear_run(epochs=10)
    assert run_training(run, tmp_path) == whole[0]
    assert weights(run) == whole[1]
    assert (tmp_path / LOG_NAME).read_bytes() == whole[2]


BREAKS = "one\u2028two\x85three"
"""What some functions take for the end of a line."""
SAMPLES = [
    Sample(id=f"q{n}", clip=f"c{n}", turns=(Turn(question="?", answer=""),), references=("a",))
    for n in range(5)
]
QUESTIONS = cast(ChatEncoder, SimpleNamespace(encode=lambda text, answer_last: text))


def answered(state: Path) -> tuple[dict[str, str], int]:
    """All answers, and how many questions were put to the model for them."""
    asked = []

    def answer(streams: object, chats: list[object]) -> list[str]:
        asked.extend(chats)
        return [f"{BREAKS} {chat}" for chat in chats]

    found = answer_all(answer, [], QUESTIONS, SAMPLES, lambda sample, _: sample.id, 1, state)
    return found, len(asked)


@pytest.mark.parametrize(
    ("damage", "again"), [("none", 0), ("flipped bit", 1), ("cut", 3), ("empty", 5)]
)
def test_damaged_answers(tmp_path: Path, damage: str, again: int) -> None:
    """Those that cannot be read are given again, and the others are not."""
    for name in ("whole", "damaged"):
        (tmp_path / name).mkdir()
    whole, _ = answered(tmp_path / "whole")
    assert answered(tmp_path / "damaged") == (whole, 5)
    if damage != "none":
        DAMAGES[damage](tmp_path / "damaged" / ANSWERS_NAME)
    assert answered(tmp_path / "damaged") == (whole, again)
    assert answered(tmp_path / "damaged") == (whole, 0)
