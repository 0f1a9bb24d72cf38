"""`lynx explain` on runs made by hand: the first stage at which two chains part, and by what."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lynx.artifacts.explain import UNEXPLAINED
from lynx.artifacts.manifest import MANIFEST_NAME, dump_manifest, identify, read_manifest
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.errors import InputError
from lynx.evaluate.metrics_file import read_report, write_report
from lynx.report.explanation import Explanation, as_dict, explain, lines
from tests.command_line import call
from tests.unit.made_runs import ALIGN, PREDICTIONS, RUNS, SCORE, SFT, make_run

FRAMES = RUNS / "frames/music"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "run"
    make_run(root)
    return root


@pytest.fixture
def other(ran: Path, tmp_path: Path) -> Path:
    """An equal project, which the test changes."""
    return Path(shutil.copytree(ran, tmp_path / "other"))


def told(found: Explanation) -> list[tuple[str, bool, list[str]]]:
    """Stage, whether first, and findings as `kind key old new`."""
    return [
        (
            part.stage,
            part.first,
            [
                " ".join((item.kind, item.difference.key, item.difference.old, item.difference.new))
                for item in part.findings
            ],
        )
        for part in found.parts
    ]


def test_equal_results_are_called_equal(ran: Path, other: Path) -> None:
    found = explain(ran / SCORE, other / SCORE)
    assert found.equal
    assert list(lines(found))[-1] == "A and B are equal, and so is all that they were made from."
    assert explain(ran / SFT, other / SFT / MANIFEST_NAME).equal


def test_a_key_of_the_settings(ran: Path, tmp_path: Path) -> None:
    """What follows from it is not told again."""
    make_run(tmp_path, overrides={"align.moment_weight": 0.25})
    weight = read_manifest(ran / ALIGN).settings["align"]["moment_weight"]  # type: ignore[index]
    found = explain(ran / SCORE, tmp_path / SCORE)
    assert told(found) == [("align", True, [f"setting align.moment_weight {weight} 0.25"])]
    assert (found.equal, found.equal_content) == (False, True)
    assert list(lines(found)) == [
        f"A  {ran / SCORE}",
        f"B  {tmp_path / SCORE}",
        "What they hold is equal, what they were made from is not.",
        f"They part first at align  (A {ran / ALIGN}, B {tmp_path / ALIGN})",
        f"    setting align.moment_weight: {weight} -> 0.25",
    ]


def test_two_seeds(ran: Path, other: Path) -> None:
    """A run's seed is told once, though each stage after it has it too."""
    second = make_run(other, seed=1)
    assert told(explain(ran / SCORE, other / second)) == [("align", True, ["seed seed 0 1"])]


def test_two_variants(ran: Path, other: Path) -> None:
    second = make_run(other, "video-only")
    trained, answered, scored = told(explain(other / SCORE, other / second))
    aligned = "runs/demo/features/music_avqa/{}/aligned/seed0"
    assert trained[:2] == ("sft", True)
    assert trained[2][-1] == f"parent {aligned.format('train')} a parent absent"
    assert answered == ("predict", False, [f"parent {aligned.format('test')} a parent absent"])
    assert 'setting x "aligned" "none"' in trained[2]
    assert scored == ("score", False, ['setting variant "lynx" "video-only"'])


def test_a_key_of_a_later_stage_is_told_beside_the_first(ran: Path, tmp_path: Path) -> None:
    changed = {"align.moment_weight": 0.25, "evaluate.max_new_tokens": 5}
    make_run(tmp_path, overrides=changed)
    old = read_manifest(ran / PREDICTIONS).settings["max_new_tokens"]
    assert told(explain(ran / SCORE, tmp_path / SCORE))[1:] == [
        ("predict", False, [f"setting max_new_tokens {old} 5"])
    ]


def test_raw_data_that_changed_under_the_same_settings(ran: Path, tmp_path: Path) -> None:
    make_run(tmp_path, texts={FRAMES.as_posix(): "other"})
    (part,) = explain(ran / SCORE, tmp_path / SCORE).parts
    hashes = [read_manifest(root / FRAMES).files[0].sha256[:12] for root in (ran, tmp_path)]
    assert part.stage == "frames"
    assert [vars(item.difference) for item in part.findings] == [
        {"key": "content.txt", "old": hashes[0], "new": hashes[1]}
    ]
    assert part.notes == (UNEXPLAINED,)


def test_another_environment_counts_where_all_else_is_equal(
    ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = read_manifest(ran / ALIGN).environment
    new = {**old, "torch": "9.9", "device": "A6000"}
    monkeypatch.setattr("lynx.artifacts.publish.describe_environment", lambda *_: new)
    make_run(tmp_path / "equal")
    assert explain(ran / SFT, tmp_path / "equal" / SFT).equal
    make_run(tmp_path / "differs", texts={ALIGN.as_posix(): "other"})
    ((stage, first, findings),) = told(explain(ran / SFT, tmp_path / "differs" / SFT))
    assert (stage, first) == ("align", True)
    assert findings[1:] == [
        'environment device "cpu" "A6000"',
        f'environment torch "{old["torch"]}" "9.9"',
    ]
    make_run(
        tmp_path / "decided",
        texts={ALIGN.as_posix(): "other"},
        overrides={"align.moment_weight": 0.25},
    )
    ((_, _, findings),) = told(explain(ran / SFT, tmp_path / "decided" / SFT))
    assert [text.split()[0] for text in findings] == ["setting"]


def test_another_stage_version(ran: Path, other: Path) -> None:
    manifest = read_manifest(other / ALIGN)
    decided = (manifest.settings, manifest.seed, manifest.parents)
    identity = identify("align", 9, *decided)
    newer = manifest.model_copy(update={"version": 9, "identity": identity})
    (other / ALIGN / MANIFEST_NAME).write_text(dump_manifest(newer), encoding="utf-8")
    assert told(explain(ran / ALIGN, other / ALIGN)) == [
        ("align", True, [f"version stage version {manifest.version} 9"])
    ]


@pytest.mark.parametrize("how", ["is not there any more", "was made anew since"])
def test_a_parent_that_cannot_be_read(ran: Path, other: Path, tmp_path: Path, how: str) -> None:
    changed = {"align.moment_weight": 0.25}
    make_run(tmp_path / "changed", overrides=changed)
    root = tmp_path / "changed"
    recorded = read_manifest(root / ALIGN)
    shutil.rmtree(root / ALIGN)
    if how == "was made anew since":
        shutil.copytree(other / ALIGN, root / ALIGN)
    (part,) = explain(other / SFT, root / SFT).parts
    assert (part.stage, part.first) == ("align", True)
    assert [vars(item.difference) for item in part.findings] == [
        {
            "key": "identity",
            "old": read_manifest(other / ALIGN).identity[:12],
            "new": recorded.identity[:12],
        }
    ]
    assert part.notes == (f"{root / ALIGN} {how}, so what it was made from is not known",)


def test_scores_without_their_predictions(ran: Path, tmp_path: Path) -> None:
    """As in a snapshot: base, data and adapter are compared by what both scores name."""
    make_run(tmp_path, texts={SFT.as_posix(): "other"})
    contents = [read_manifest(root / SFT).content[:12] for root in (ran, tmp_path)]
    shutil.rmtree(tmp_path / PREDICTIONS)
    (part,) = explain(ran / SCORE, tmp_path / SCORE).parts
    assert part.stage == "sft"
    assert [vars(item.difference) for item in part.findings] == [
        {"key": "content", "old": contents[0], "new": contents[1]}
    ]


def test_an_edited_score(ran: Path, other: Path) -> None:
    report = read_report(other / SCORE)
    report["metrics"]["exact_accuracy"]["value"] = 0.75
    (other / SCORE).write_text(json.dumps(report), encoding="utf-8")
    found = explain(ran / SCORE, other / SCORE)
    assert list(lines(found))[2:] == [
        "metrics.exact_accuracy.value 0.5 -> 0.75",
        f"They part first at score  (A {ran / SCORE}, B {other / SCORE})",
        f"    {other / SCORE}: its values do not hash to its own content field; the file was "
        "edited, so run the score rule again",
    ]
    write_report(other / SCORE, {**report, "stage_version": 1})
    (part,) = told(explain(ran / SCORE, other / SCORE))
    assert part == ("score", True, [f"version stage version {STAGE_VERSIONS['score']} 1"])


def test_the_command(
    ran: Path, other: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(other, seed=1)
    monkeypatch.chdir(other)
    second = SFT.with_name("seed1")
    outcome = call(monkeypatch, capsys, "explain", str(SFT), str(second))
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        f"A  {SFT}",
        f"B  {second}",
        f"They part first at align  (A {ALIGN}, B {ALIGN.with_name('seed1')})",
        "    seed 0 -> 1",
    ]
    outcome = call(monkeypatch, capsys, "explain", "--json", str(SFT), str(second))
    assert json.loads(outcome.out) == as_dict(explain(SFT, second))
    assert json.loads(outcome.out)["parts"][0]["findings"] == [
        {"kind": "seed", "key": "seed", "old": "0", "new": "1"}
    ]
    outcome = call(monkeypatch, capsys, "explain", str(SFT), "runs/demo/sft")
    assert (outcome.said, outcome.code) == (
        "lynx: runs/demo/sft/manifest.json: no manifest, so the artefact is absent or was never "
        "finished; run the rule that makes it",
        2,
    )
    with pytest.raises(InputError):
        explain(ran / SFT, other / SFT, root_a=other)
