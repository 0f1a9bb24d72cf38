"""`--profile slurm` without a cluster: what is asked of Slurm, and where each fact comes from."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tests.fake_programs import answering, failing_record, use
from tests.project_copy import FAMILY, ROOT, copy_tree, edit_yaml, environment
from tests.workflow.snakemake_runs import SCANQA, snakemake

LAB = {"account": "lab", "partition": "gpu", "gpu_model": "a6000"}
ALIGN = "runs/0.5b/align/3d/seed0/manifest.json"
RULE = re.compile(r"^(?:local)?rule (\w+):$")
RESOURCES = "    resources: "


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The committed configuration for one family, two bases, and nothing that has been run."""
    root = copy_tree(tmp_path / "with space")
    edit_yaml(root / "config/config.yaml", {"benchmarks": FAMILY})
    for name in ("demo", "llava-onevision-qwen2-0.5b-ov-hf"):
        (root / "models" / name).mkdir(parents=True)
        (root / "models" / name / "config.json").write_text("{}", encoding="utf-8")
    return root


def typed(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a user types it, at the root."""
    command = [sys.executable, "-m", "snakemake", "--profile", "slurm", *arguments]
    return subprocess.run(
        command, cwd=root, env=environment(), capture_output=True, text=True, check=False
    )


def resources(root: Path, *arguments: str) -> dict[str, dict[str, str]]:
    """What a dry run would ask for, by rule; a rule's jobs all ask for the same."""
    result = typed(root, "-n", *arguments)
    assert result.returncode == 0, result.stderr + result.stdout
    found: dict[str, dict[str, str]] = {}
    rule = ""
    for line in (result.stdout + result.stderr).splitlines():
        if match := RULE.match(line):
            rule = match[1]
        elif line.startswith(RESOURCES) and rule:
            pairs = (each.split("=", 1) for each in line.removeprefix(RESOURCES).split(", "))
            found[rule] = dict(pairs)
    return found


def test_the_link_is_in_the_repository() -> None:
    assert (ROOT / "slurm").readlink() == Path("profiles/slurm")
    command = ["git", "ls-files", "--stage", "slurm"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert listed.startswith("120000 "), "a link, as git keeps it"


def test_the_profile_holds_no_fact_of_one_cluster() -> None:
    """It says how Snakemake runs; the site says where, and rules say how much."""
    text = (ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8")
    slurm, local = (
        yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text(encoding="utf-8"))
        for name in ("slurm", "local")
    )
    assert slurm["default-resources"] == "?profile_resources()"
    assert not re.search(
        r"account|partition|gres|a6000|blackwell|h100", text.split("__use_yte__")[1]
    )
    shared = ("rerun-incomplete", "rerun-triggers", "max-checksum-file-size", "show-failed-logs")
    assert {key: slurm[key] for key in shared} == {key: local[key] for key in shared}
    # These keys would beat those of any other profile.
    assert not (ROOT / "profiles/default").exists()
    assert not (ROOT / "workflow/profiles").exists()


def test_jobs_ask_for_what_rules_say_and_go_where_the_site_says(tree: Path) -> None:
    edit_yaml(tree / "config/site.yaml", {"slurm": LAB, "workers": 6})
    edit_yaml(tree / "config/scales/0.5b.yaml", {"gpus": 2})
    found = resources(tree, ALIGN, "--config", "scale=0.5b")
    for rule, asked in found.items():
        assert (asked["slurm_account"], asked["slurm_partition"]) == ("lab", "gpu"), rule
        assert asked["cpus_per_gpu"] == "6"
        assert asked["slurm_extra"] == "--signal=TERM@120"
        assert {"mem_mb", "runtime"} <= set(asked)
        assert not {"tasks", "tasks_per_gpu", "gpus", "gres", "cpus_per_task"} & set(asked)
    computing = {rule for rule, asked in found.items() if "gpu" in asked}
    assert computing == {"reference", "align"}
    for rule in computing:
        assert (found[rule]["gpu"], found[rule]["gpu_model"]) == ("2", "a6000")
    assert {rule for rule, asked in found.items() if "gpu_model" in asked} == computing


def test_without_the_section_the_cluster_decides(tree: Path) -> None:
    for rule, asked in resources(tree, SCANQA).items():
        assert not {"slurm_account", "slurm_partition", "gpu_model"} & set(asked), rule
        assert asked.get("gpu", "0") == "0", "the demo takes no GPU"


def test_weights_count_in_the_memory_of_a_job(tree: Path) -> None:
    weights = tree / "models/demo/model.safetensors"
    with weights.open("wb") as stream:
        stream.truncate(3 * 10**9)  # a hole: it takes no room
    found = resources(tree, SCANQA)
    assert {found[rule]["mem_mb"] for rule in ("align", "sft", "predict")} == {"8500"}


def test_what_sbatch_is_called_with(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One job, whose three attempts Slurm refuses: each asks for more time and memory."""
    edit_yaml(tree / "config/site.yaml", {"slurm": LAB})
    edit_yaml(tree / "config/scales/0.5b.yaml", {"gpus": 2})
    for name in ("base", "data/scanqa", "data/sqa3d", "frames/3d", "reference/3d"):
        path = tree / "runs/0.5b" / name / "manifest.json"
        path.parent.mkdir(parents=True)
        path.write_text("{}", encoding="utf-8")
    programs = tmp_path / "bin"
    record = failing_record(programs, "sbatch")
    answering(programs, "sacctmgr", "lab")
    for name in ("squeue", "scontrol"):
        answering(programs, name, "")
    use(monkeypatch, programs)
    result = typed(tree, "--config", "scale=0.5b", "--", ALIGN)
    assert result.returncode == 1
    calls = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    assert len(calls) == 3
    for attempt, call in enumerate(calls, start=1):
        options = call[: next(n for n, word in enumerate(call) if word.startswith("--wrap"))]
        assert not [word for word in options if "ntasks" in word]
        assert {"--gpus=a6000:2", "--requeue", "--cpus-per-gpu=2", "--nodes=1"} <= set(options)
        value = dict(pairwise(options))
        assert (value["-A"], value["-p"]) == ("lab", "gpu")
        assert (value["-t"], value["--mem"]) == (str(600 * attempt), str(2500 * attempt))
        assert value["--job-name"].startswith("lynx_")
        assert Path(value["-D"]) == tree


def test_a_wrong_key_is_a_sentence_before_anything_else(tree: Path) -> None:
    edit_yaml(tree / "config/site.yaml", {"slurm": {"partitoin": "gpu"}})
    sentence = "config/site.yaml: unknown key 'slurm.partitoin'; did you mean 'partition'?"
    result = typed(tree, "-n", SCANQA)
    assert (result.returncode, result.stderr.splitlines()[-1]) == (2, f"lynx: {sentence}")
    assert "usage:" not in result.stderr
    local = snakemake(tree, "-n", SCANQA, profile="local")
    assert local.returncode == 1
    assert sentence in (local.stdout + local.stderr).splitlines()


@pytest.mark.parametrize(
    ("code", "command"), [(1, "squeue"), (0, None), (None, None)], ids=["none", "kept", "no sacct"]
)
def test_where_slurm_keeps_no_accounting_squeue_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None, command: str | None
) -> None:
    from lynx.config.slurm import status_command

    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    if code is not None:
        answering(tmp_path, "sacct", "Slurm accounting storage is disabled", code)
    elif Path("/bin/sacct").exists():
        monkeypatch.setenv("PATH", str(tmp_path))
    assert status_command() == command


def test_the_commented_example_is_a_valid_section(tree: Path) -> None:
    path = tree / "config/site.yaml"
    text = path.read_text(encoding="utf-8")
    start = text.index("# slurm:\n")
    path.write_text(text[:start] + text[start:].replace("# slurm", "slurm").replace("\n#  ", "\n "))
    found = resources(tree, SCANQA)
    assert {asked["slurm_account"] for asked in found.values()} == {"my-group"}
    assert {asked["slurm_partition"] for asked in found.values()} == {"gpu"}
