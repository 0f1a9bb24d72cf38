"""What an artefact cost, over all attempts at it, and what a run comes to."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lynx.artifacts.cost import COST, RECORD_NAME, Cost, Meter
from lynx.artifacts.lineage import PARAMETERS, VIDEOS, lineage
from lynx.artifacts.manifest import MANIFEST_NAME, parent_entry, read_manifest
from lynx.artifacts.publish import publishing
from lynx.artifacts.state import exclusive_state
from lynx.errors import InputError


def started(state: Path, seconds_ago: float) -> Meter:
    """A meter that has run for a while, its state entered and left."""
    meter = Meter(begun=time.monotonic() - seconds_ago)
    with meter.kept_in(state):
        pass
    return meter


def test_the_time_of_all_attempts_is_summed(tmp_path: Path) -> None:
    with pytest.raises(SystemExit), (meter := Meter(begun=time.monotonic() - 40)).kept_in(tmp_path):
        raise SystemExit(143)
    meter = Meter(begun=time.monotonic() - 2)
    with meter.kept_in(tmp_path):
        cost = meter.spent(processes=4)
    assert 42 <= cost.seconds < 60
    assert (cost.attempts, cost.processes) == (2, 4)
    assert cost.peak_memory_mb > 10


def test_a_killed_attempt_counts_up_to_the_last_file_it_wrote(tmp_path: Path) -> None:
    begun, state = time.time() - 1000, tmp_path / "align-1a2b"
    (state / "step-3").mkdir(parents=True)
    (state / "step-3/state.safetensors").touch()
    record = {"seconds": 5.0, "attempts": 1, "running_since": begun}
    (state / RECORD_NAME).write_text(json.dumps(record), encoding="utf-8")
    for path in state.rglob("*"):
        os.utime(path, (begun + 30, begun + 30))
    meter = Meter()
    with exclusive_state(tmp_path, "align", "1a2b") as folder, meter.kept_in(folder):
        assert folder == state
        cost = meter.spent(1)
    assert 35 <= cost.seconds < 60
    assert cost.attempts == 3


def test_a_record_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / RECORD_NAME).write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match=r"attempts\.json: not a record of attempts"):
        started(tmp_path, 0)


Make = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Publishes an artefact of a stage below `tmp_path`, from others, that took some time."""

    def make(stage: str, *parents: str, seconds: float = 0, parameters: object = None) -> Path:
        target = tmp_path / stage
        with publishing(
            target,
            stage=stage.split("-")[0],
            version=1,
            settings={"made": time.time()},
            parents=[
                parent_entry(tmp_path / each).model_copy(update={"path": each}) for each in parents
            ],
            seed=0,
            device="cpu, 1 threads",
        ) as draft:
            (draft.folder / "file").write_text(stage, encoding="utf-8")
            if seconds:
                cost = Cost(seconds=seconds, attempts=1, processes=2, peak_memory_mb=int(seconds))
                draft.facts[COST] = cost.model_dump()
            if parameters:
                draft.facts[PARAMETERS] = parameters
            if stage == "reference":
                draft.counts[VIDEOS] = 3
        return target

    return make


def test_what_a_run_took_is_summed_over_its_ancestry(tmp_path: Path, made: Make) -> None:
    made("data")
    made("reference", "data")
    made("align", "data", "reference", seconds=100, parameters={"vision": 7})
    made("features-train", "data", "align", seconds=10)
    made("features-test", "data", "align", seconds=5)
    made("sft", "features-train", seconds=50, parameters={"language": 9})
    run = made("predict", "features-test", "sft", seconds=1)
    found = lineage(tmp_path, run)
    assert found.parameters == {"language": 9, "vision": 7}
    assert {name: spent["seconds"] for name, spent in found.cost.items()} == {
        "align": 100,
        "features-test": 5,
        "features-train": 10,
        "predict": 1,
        "sft": 50,
    }, "alignment once, though two are made from it; data cost nothing"
    assert found.cost["align"] == {
        "stage": "align",
        "seconds": 100,
        "attempts": 1,
        "processes": 2,
        "peak_memory_mb": 100,
        "device": "cpu, 1 threads",
    }
    contents = {name: read_manifest(tmp_path / name).content for name in found.artefacts}
    assert found.artefacts == {
        "align": {"stage": "align", "content": contents["align"]},
        "reference": {"stage": "reference", "content": contents["reference"], "videos": 3},
        "sft": {"stage": "sft", "content": contents["sft"]},
    }


def test_a_parent_made_anew_is_not_counted_for_the_old_one(tmp_path: Path, made: Make) -> None:
    made("align", seconds=1)
    run = made("predict", "align")
    made("align", seconds=2)
    with pytest.raises(InputError, match=r"predict: made from align .* run the rule that makes"):
        lineage(tmp_path, run)
    (tmp_path / "align" / MANIFEST_NAME).unlink()
    with pytest.raises(InputError, match=r"align/manifest\.json: no manifest"):
        lineage(tmp_path, run)
