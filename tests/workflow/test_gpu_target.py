"""What `gpu_target` changes: the environment of the jobs and what manifests record; no job list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project_copy import FAMILY, copy_tree, edit_yaml, environment
from tests.workflow.snakemake_runs import SCANQA, planned

TARGETS = ["cpu", "a6000", "blackwell"]
# `conda` as far as Snakemake calls it: environments are made whose Python writes down its calls.
CONDA = """#!/usr/bin/env bash
set -euo pipefail
base="$(cd "$(dirname "$0")/.." && pwd)"
case "$1" in
  --version) echo "conda 25.1.0" ;;
  info) echo "{\\"conda_prefix\\": \\"$base\\", \\"root_prefix\\": \\"$base\\", \\"platform\\": \\"linux-64\\"}" ;;
  config) echo '{"get": {"channel_priority": "strict"}}' ;;
  env)
    while [ "$1" != --prefix ]; do [ "$1" != --file ] || file="$2"; shift; done
    mkdir -p "$2/bin"
    cp "$file" "$2/asked.yaml"
    printf '#!/usr/bin/env bash\\necho "$PWD: $*" >> "%s/calls"\\n' "$2" > "$2/bin/python"
    chmod +x "$2/bin/python" ;;
esac
"""  # noqa: E501
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The committed configuration for one family, a base, and nothing that has been run."""
    root = copy_tree(tmp_path / "tree")
    edit_yaml(root / "config/config.yaml", {"benchmarks": FAMILY})
    (root / "models/demo").mkdir(parents=True)
    (root / "models/demo/config.json").write_text("{}", encoding="utf-8")
    return root


def test_the_jobs_are_the_same_on_every_target(tree: Path) -> None:
    edit_yaml(tree / "config/site.yaml", {"gpu_target": "cpu"})
    jobs = planned(tree, SCANQA)
    assert len(jobs) > 10
    edit_yaml(tree / "config/site.yaml", {"gpu_target": "blackwell"})
    assert planned(tree, SCANQA) == jobs


@pytest.mark.parametrize("target", TARGETS)
def test_conda_makes_the_target_s_environment_alone(
    tree: Path, tmp_path: Path, target: str
) -> None:
    """One environment for all rules, finished by its script in the project's folder."""
    edit_yaml(tree / "config/site.yaml", {"gpu_target": target})
    made = create_environments(tree, tmp_path)
    (prefix,) = made
    wanted = (tree / f"envs/{target}.yaml").read_bytes()
    assert (prefix / "asked.yaml").read_bytes() == wanted
    assert (prefix / "calls").read_text(encoding="utf-8").splitlines() == [
        f"{tree}: -m pip install --quiet --no-deps --no-build-isolation --require-hashes "
        f"-r envs/{target}.lock",
        f"{tree}: -m pip install --quiet --no-deps --no-build-isolation -e .",
    ]


def create_environments(tree: Path, folder: Path) -> list[Path]:
    """The prefixes that `snakemake --sdm conda --conda-create-envs-only` makes."""
    programs = folder / "conda/bin"
    programs.mkdir(parents=True)
    (programs / "conda").write_text(CONDA, encoding="utf-8")
    (programs / "conda").chmod(0o755)
    (programs / "activate").write_text(ACTIVATE, encoding="utf-8")
    variables = environment()
    variables["PATH"] = f"{programs}{os.pathsep}{variables['PATH']}"
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/ci", "--sdm", "conda"]
    result = subprocess.run(
        [*command, "--conda-create-envs-only", "--", SCANQA],
        cwd=tree,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return [path.parent for path in (tree / ".snakemake/conda").glob("*/asked.yaml")]


def test_manifests_record_target_and_attention(finished: Path) -> None:
    """Attention where a base computed; the target everywhere."""
    manifests = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in (finished / "runs").rglob("manifest.json")
    )
    found = {manifest["stage"]: manifest["environment"] for manifest in manifests}
    computed = {"reference", "align", "features", "sft", "predict"}
    assert computed < set(found)
    assert {block["gpu_target"] for block in found.values()} == {"cpu"}
    assert {stage for stage, block in found.items() if "attention" in block} == computed
    assert {found[stage]["attention"] for stage in computed} == {"sdpa"}
