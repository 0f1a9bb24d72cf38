"""What `profiles/slurm` takes from the site: called while Snakemake reads that profile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pydantic import TypeAdapter

from lynx.config.explain import in_file, validate
from lynx.config.files import SiteConfig
from lynx.config.yaml_files import read_mapping
from lynx.errors import InputError

SITE = "config/site.yaml"
ASKED_WITHIN = 20.0  # seconds for a command of Slurm
# Seconds before its time limit at which a job is asked to save and end. Slurm itself leaves
# KillWait, often 30 seconds, between asking and killing, too few for a large state on a slow disk.
GRACE = 120


def profile_resources(root: Path = Path()) -> dict[str, str | int]:
    """`default-resources`: the site's account and partition, one node, cores for each GPU, time to
    save.

    Nobody above could turn an `InputError` into a sentence yet, so this ends the program with it.
    """
    try:
        site = validate(TypeAdapter(SiteConfig), read_mapping(root, SITE), in_file(SITE))
    except InputError as error:
        print(f"lynx: {error}", file=sys.stderr)
        sys.exit(2)
    named = {"slurm_account": site.slurm.account, "slurm_partition": site.slurm.partition}
    # Snakemake evaluates a default resource as Python: in quotes a name stays a name.
    quoted: dict[str, str | int] = {key: repr(name) for key, name in named.items() if name}
    cores = {"cpus_per_gpu": max(site.threads, site.workers)}
    # Without it Slurm may deal a job's GPUs out over nodes, which one task cannot use.
    return quoted | cores | {"nodes": 1, "slurm_extra": repr(f"--signal=TERM@{GRACE}")}


def status_command() -> str | None:
    """`squeue` where Slurm keeps no accounting, else None: the executor's own choice.

    That choice is `sacct` wherever the program exists. Without accounting it fails, and Snakemake
    would wait for ever for jobs that have ended.
    """
    command = ["sacct", "--noheader", "--allocations", "--starttime=now"]
    try:
        asked = subprocess.run(command, capture_output=True, timeout=ASKED_WITHIN, check=False)
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired:
        return "squeue"
    return None if asked.returncode == 0 else "squeue"
