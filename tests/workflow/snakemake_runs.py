"""Snakemake as a user calls it, and what its dry run says would be done."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.project_copy import environment

SCANQA = "results/scanqa/metrics.json"
SQA3D = "results/sqa3d/metrics.json"
JOB = re.compile(r"^(?:local)?rule (\w+):$")


def snakemake(
    root: Path, *arguments: str, profile: str = "ci", package: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it at `root`; the package is this tree's, unless another folder is given."""
    variables = environment() | ({"PYTHONPATH": str(package)} if package else {})
    command = [sys.executable, "-m", "snakemake", "--profile", f"profiles/{profile}", *arguments]
    return subprocess.run(
        command, cwd=root, env=variables, capture_output=True, text=True, check=False, timeout=500
    )


def planned(
    root: Path, *arguments: str, profile: str = "ci", package: Path | None = None
) -> dict[str, str]:
    """The outputs that a dry run would make, each with the rule that makes it."""
    result = snakemake(root, "-n", *arguments, profile=profile, package=package)
    assert result.returncode == 0, result.stderr + result.stdout
    jobs: dict[str, str] = {}
    rule = ""
    for line in (result.stdout + result.stderr).splitlines():
        if match := JOB.match(line):
            rule = match[1]
        elif line.startswith("    output: ") and rule:
            for output in line.removeprefix("    output: ").split(", "):
                assert output not in jobs, f"{output} would be made twice"
                jobs[output] = rule
            rule = ""
    return jobs
