"""A clone of the tree in which a lab keeps a ledger: one benchmark, one variant, tiny budgets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.project_copy import BASE_SIDE, OVERRIDES, WORLD, edit_yaml, environment

PERSON = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "A Lab", "EMAIL": "lab@example.org"}.items()
}


@dataclass(frozen=True)
class Lab:
    """A Git and DVC working tree, and commands as a person types them in it."""

    root: Path
    variables: Mapping[str, str]

    def run(self, *command: str, code: int = 0) -> str:
        """Run a command that must end with `code`; gives all that it printed."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=environment() | {"PYTHONPATH": str(self.root)} | dict(self.variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )
        assert done.returncode == code, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout + done.stderr

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments)

    def dvc(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "dvc", *arguments)

    def lynx(self, *arguments: str, code: int = 0) -> str:
        return self.run(sys.executable, "-m", "lynx.cli", *arguments, code=code)

    def refused(self, *arguments: str) -> str:
        """The sentence with which a `lynx` command refuses."""
        return self.lynx(*arguments, code=2).strip().splitlines()[-1].removeprefix("lynx: ")

    def snakemake(self, *arguments: str) -> str:
        command = (sys.executable, "-m", "snakemake", "--profile", "local")
        return self.run(*command, *arguments, "--", "all", "experiments", "analyses")

    def make(self, folder: Path, *options: str) -> str:
        """Have Snakemake make one artefact."""
        command = (sys.executable, "-m", "snakemake", "--profile", "local", *options)
        return self.run(*command, "--", f"{folder}/manifest.json")

    def save(self, message: str) -> None:
        """Commit results and ledger, as docs/ledger.md says."""
        self.git("add", "-f", "dvc.lock", "dvc.yaml", "params.yaml", "config", "results")
        self.git("commit", "-q", "-m", message)

    def clone(self, target: Path) -> Lab:
        """What another person gets."""
        subprocess.run(["git", "clone", "-q", str(self.root), str(target)], check=True)
        return Lab(target, self.variables)

    def require_nothing_to_do(self) -> None:
        """Neither Snakemake nor DVC would run anything."""
        assert "Nothing to be done" in self.snakemake("-n")
        said = self.dvc("repro")
        assert "Data and pipelines are up to date." in said, said
        assert "Running stage" not in said


def found_lab(root: Path, site_cache: Path, data: Mapping[str, str] | None = None) -> Lab:
    """A cloned tree made small, under Git, with its ledger rendered; nothing has been run.

    With `data`, folders of raw data by name, no world is rendered.
    """
    from tests.tiny_base import write_tiny_base
    from tests.workflow.test_demo_runs import clone

    clone(root)
    variables = {**PERSON, "DVC_SITE_CACHE_DIR": str(site_cache), "DVC_NO_ANALYTICS": "true"}
    lab = Lab(root, variables)
    edit_yaml(root / "config/scales/demo.yaml", {"worlds": {} if data else {"rooms": WORLD}})
    changes = {"benchmarks": ["scanqa"], "seeds": [0], "compare_with": [], "overrides": OVERRIDES}
    edit_yaml(root / "config/config.yaml", changes)
    site = {"device": "cpu", "threads": 1, "workers": 1, **({"data": dict(data)} if data else {})}
    edit_yaml(root / "config/site.yaml", site)
    show_less(root)
    for path in (root / "models/demo").iterdir():
        path.unlink()
    write_tiny_base(root / "models/demo", **BASE_SIDE)
    lab.git("init", "-q", "-b", "main")
    lab.lynx("ledger", "render")
    lab.git("add", "-A")
    lab.git("commit", "-q", "-m", "a lab's own configuration")
    return lab


def show_less(root: Path) -> None:
    """Of the variants that no headline shows only the untrained base, of references only one."""
    path = root / "config/variants.yaml"
    variants = yaml.safe_load(path.read_text(encoding="utf-8"))
    kept = {name: each for name, each in variants.items() if not name.startswith("reference-")}
    path.write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")
    path = root / "config/published.yaml"
    table = yaml.safe_load(path.read_text(encoding="utf-8"))["tables"]["depth"]
    shown = ("lynx", "zero-shot")
    rows = [row for row in table["rows"] if row.get("ours", {}).get("variant") in shown]
    edit_yaml(path, {"tables": {"depth": {**table, "controls": [], "rows": rows}}})


def dvc_listing(root: Path, folder: str) -> dict[str, str]:
    """md5 of each file below an artefact's folder, as the cache lists it."""
    lock = yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))
    (digest,) = {
        out["md5"]
        for stage in lock["stages"].values()
        for out in stage["outs"]
        if out["path"] == folder
    }
    return {item["relpath"]: item["md5"] for item in json.loads(cached(root, digest).read_bytes())}


def cached(root: Path, digest: str) -> Path:
    """Where DVC keeps the bytes of an md5."""
    return root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
