"""The ledger of a lab: recorded, pushed, cloned, restored, damaged; nothing is made twice."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.project_copy import ROOT, copy_tree, edit_yaml, environment
from tests.workflow.ledger_lab import Lab, cached, dvc_listing, found_lab

pytestmark = pytest.mark.slow
ALIGN = "runs/demo/align/3d/seed0"
WEIGHTS = "vision/adapter_model.safetensors"
METRICS = "results/demo/lynx/scanqa/seed0/metrics.json"
GEOMETRY = "results/demo/geometry.json"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab whose ledger was begun, after one run, committed and pushed to a folder."""
    folder = tmp_path_factory.mktemp("ledger")
    lab = found_lab(folder / "a lab", folder / "site")
    assert "dvc.lock: 0 stages recorded, 0 were already, " in lab.lynx("ledger", "record")
    assert "lynx: dvc.lock: " in lab.snakemake()
    lab.save("first run")
    lab.dvc("remote", "add", "-d", "store", str(folder / "store"))
    lab.dvc("push", "-q")
    lab.git("commit", "-q", "-m", "where the bytes are", ".dvc/config")
    return lab


@pytest.fixture
def lab(recorded: Lab, tmp_path: Path) -> Lab:
    """A copy that the test may spoil."""
    root = Path(shutil.copytree(recorded.root, tmp_path / "lab", symlinks=True))
    return Lab(root, recorded.variables)


@pytest.fixture
def restored(recorded: Lab, tmp_path: Path) -> Lab:
    """A fresh clone into which everything has been restored."""
    other = recorded.clone(tmp_path / "other")
    assert not (other.root / "runs").exists()
    other.lynx("restore")
    return other


def test_nothing_is_to_do_after_a_recorded_run(recorded: Lab) -> None:
    recorded.require_nothing_to_do()
    assert recorded.lynx("ledger", "record").startswith("dvc.lock: 0 stages recorded, ")


def test_a_clone_restores_all_and_makes_nothing(recorded: Lab, restored: Lab) -> None:
    restored.require_nothing_to_do()
    for path in recorded.root.glob("runs/**/*"):
        if path.is_file():
            copy = restored.root / path.relative_to(recorded.root)
            assert copy.read_bytes() == path.read_bytes()


def test_touching_every_file_makes_nothing(restored: Lab) -> None:
    files = [
        path
        for name in ("runs", "results", "models", "config")
        for path in sorted((restored.root / name).rglob("*"), reverse=True)
    ]
    for later, path in enumerate(files):
        os.utime(path, (time.time() + later, time.time() + later))
    restored.require_nothing_to_do()


def test_another_branch_and_back_makes_nothing(lab: Lab) -> None:
    lab.git("switch", "-q", "-c", "longer")
    config = lab.root / "config/config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("evaluate.max_new_tokens: 4", "evaluate.max_new_tokens: 5"), encoding="utf-8"
    )
    assert "config/config.yaml" in lab.dvc("status")
    lab.lynx("ledger", "render")
    assert set(json.loads(lab.dvc("params", "diff", "--json"))["params.yaml"]) == {
        "evaluate-lynx-scanqa-seed0",
        "evaluate-zero-shot-scanqa-seed0",
    }
    lab.snakemake("--no-hooks")
    lab.lynx("ledger", "record")
    lab.save("longer answers")
    changes = json.loads(lab.dvc("metrics", "diff", "--json", "main"))
    assert METRICS in changes
    page = lab.root.parent / "page"
    assert f"file://{page}/index.html" in lab.dvc("plots", "diff", "main", "-o", str(page))
    assert (page / "index.html").is_file()
    lab.git("switch", "-q", "main")
    lab.lynx("restore", "--local")
    lab.require_nothing_to_do()
    lab.git("switch", "-q", "longer")
    lab.lynx("restore", "--local")
    lab.require_nothing_to_do()


def flip_last_bit(path: Path) -> None:
    """What a disk does: DVC trusts a cached copy as long as it is read-only."""
    path.chmod(0o644)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    path.chmod(0o444)


@pytest.mark.parametrize("name", [WEIGHTS, "manifest.json"])
def test_a_flipped_bit_in_the_cache_is_named(lab: Lab, name: str) -> None:
    damaged = cached(Path(), dvc_listing(lab.root, ALIGN)[name])
    flip_last_bit(lab.root / damaged)
    shutil.rmtree(lab.root / "runs")
    assert lab.refused("restore", "--local") == (
        f"{lab.root / damaged}: its bytes are not those of its name, so the cached copy of "
        f"{ALIGN}/{name} is damaged; delete both and run `lynx restore` again"
    )
    (lab.root / damaged).unlink()
    (lab.root / ALIGN / name).unlink()
    lab.lynx("restore")  # the remote has it
    lab.require_nothing_to_do()


def test_an_edited_metric_is_named(lab: Lab) -> None:
    path = lab.root / METRICS
    path.write_text(path.read_text(encoding="utf-8").replace("0.0", "0.9", 1), encoding="utf-8")
    said = lab.refused("restore", "--local")
    assert said.startswith(f"{METRICS}: md5 ")
    assert said.endswith(
        "; the file was changed since, so move it away and run `lynx restore` again"
    )


@pytest.mark.parametrize(
    ("path", "key", "rule"),
    [(METRICS, "empty", "the score rule"), (GEOMETRY, "gap", "the rule geometry")],
    ids=["score", "measure"],
)
def test_what_was_edited_is_not_recorded(lab: Lab, path: str, key: str, rule: str) -> None:
    before = (lab.root / "dvc.lock").read_bytes()
    report = json.loads((lab.root / path).read_text(encoding="utf-8"))
    (lab.root / path).write_text(json.dumps(report | {key: 1 + report[key]}), encoding="utf-8")
    assert lab.refused("ledger", "record") == (
        f"{path}: its values do not hash to its own content field; the file was edited, so run "
        f"{rule} again"
    )
    (lab.root / path).write_text("no JSON", encoding="utf-8")
    assert lab.refused("ledger", "record").startswith(f"{path}: ")
    assert (lab.root / "dvc.lock").read_bytes() == before


def test_a_run_does_not_record_what_was_edited_and_ends_well(lab: Lab) -> None:
    before = (lab.root / "dvc.lock").read_bytes()
    report = json.loads((lab.root / GEOMETRY).read_text(encoding="utf-8"))
    text = json.dumps(report | {"gap": 1 + report["gap"]})
    (lab.root / GEOMETRY).write_text(text, encoding="utf-8")
    assert (
        f"lynx: dvc.lock was left as it is: {GEOMETRY}: its values do not hash to its own content "
        "field; the file was edited, so run the rule geometry again\n"
    ) in lab.snakemake("--forcerun", "headline")
    assert (lab.root / "dvc.lock").read_bytes() == before


def test_a_run_does_not_record_what_cannot_be_followed_back(lab: Lab) -> None:
    """Snakemake does not make again what it would not read; a score without it is not verified."""
    path = lab.root / "dvc.lock"
    lock = yaml.safe_load(path.read_text(encoding="utf-8"))
    begun = yaml.safe_dump({**lock, "stages": {"settings": lock["stages"]["settings"]}})
    path.write_text(begun, encoding="utf-8")
    shutil.rmtree(lab.root / "runs/demo/reference/3d")
    assert (
        "lynx: dvc.lock was left as it is: runs/demo/reference/3d: no manifest, so the artefact is "
        "absent or was never finished; run the rule that makes it\n"
    ) in lab.snakemake("--forcerun", "headline")
    assert path.read_text(encoding="utf-8") == begun


def test_a_run_begins_no_ledger(lab: Lab) -> None:
    (lab.root / "dvc.lock").unlink()
    assert "dvc.lock" not in lab.snakemake("--forcerun", "headline")
    assert not (lab.root / "dvc.lock").exists()


def test_dvc_makes_what_is_missing_and_records_it_itself(lab: Lab) -> None:
    (lab.root / "results/scanqa/metrics.json").unlink()
    said = lab.dvc("repro")
    assert "Running stage 'headline-scanqa'" in said
    assert said.count("Running stage") == 1
    assert "lynx: dvc.lock" not in said
    lab.require_nothing_to_do()


def test_a_hand_edited_pipeline_is_named(lab: Lab) -> None:
    path = lab.root / "dvc.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"lynx verify {ALIGN}/", "lynx verify other/"), encoding="utf-8")
    line = text.splitlines().index(f"    - lynx verify {ALIGN}/manifest.json") + 1
    sentence = (
        f"dvc.yaml: line {line} is '- lynx verify other/manifest.json', but Snakemake's jobs and "
        f"config/ give '- lynx verify {ALIGN}/manifest.json'; the file is rendered, so run "
        "`lynx ledger render` and commit the result"
    )
    for command in (("ledger", "render", "--check"), ("ledger", "record"), ("restore",)):
        assert lab.refused(*command) == sentence
    lab.lynx("ledger", "render")
    assert path.read_text(encoding="utf-8") == text


def test_results_of_other_settings_are_not_restored(lab: Lab) -> None:
    path = lab.root / "config/config.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("reference.max_clips: 8", "reference.max_clips: 7"))
    lab.lynx("ledger", "render")
    assert lab.refused("restore", "--local", "reference-3d") == (
        "dvc.lock: reference-3d was recorded under other settings than config/ has now; check out "
        "the commit whose results you want, or run Snakemake and `lynx ledger record`"
    )


def test_the_committed_ledger_is_that_of_the_committed_configuration() -> None:
    command = [sys.executable, "-m", "lynx.cli", "ledger", "render", "--check"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 server on loopback that has a bucket `lab`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        request = urllib.request.Request(f"{address}/lab", method="PUT")
        for _ in range(600):
            try:
                urllib.request.urlopen(request, timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None
                time.sleep(0.2)
        else:
            pytest.fail(f"no answer from {address}")
        yield address
    finally:
        server.terminate()
        server.wait()


def test_s3_keeps_it_too(lab: Lab, bucket: str, tmp_path: Path) -> None:
    lab.dvc("remote", "add", "-f", "-d", "store", "s3://lab/ledger")
    lab.dvc("remote", "modify", "store", "endpointurl", bucket)
    lab.dvc("push", "-q")
    assert "Cache and remote 'store' are in sync." in lab.dvc("status", "-c")
    lab.git("commit", "-q", "-m", "the bytes are in S3", ".dvc/config")
    other = lab.clone(tmp_path / "other")
    other.lynx("restore")
    other.require_nothing_to_do()


def test_licensed_data_is_never_pushed(tmp_path: Path) -> None:
    root = copy_tree(tmp_path / "real data")
    edit_yaml(root / "config/config.yaml", {"scale": "0.5b"})
    scale = yaml.safe_load((root / "config/scales/0.5b.yaml").read_text(encoding="utf-8"))
    base = root / "models" / scale["base"]
    base.mkdir(parents=True)
    (base / "config.json").write_text("{}", encoding="utf-8")
    Lab(root, {"PYTHONPATH": str(ROOT)}).lynx("ledger", "render")
    stages = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    pushed = {
        path
        for stage in stages.values()
        for out in stage.get("outs", ())
        for path, kept in out.items()
        if kept.get("cache", True)
    }
    raw = {path for path in pushed if path.startswith(("runs/0.5b/data/", "runs/0.5b/frames/"))}
    assert len(raw) > 10
    assert all(path.endswith("/manifest.json") for path in raw)
    assert not any(path.startswith("runs/0.5b/world") for path in pushed)
    assert "runs/0.5b/sft/lynx/scanqa/seed0" in pushed
