"""The files around the package: lock, environments, profiles, Makefile, ignore rules, licence."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from lynx.artifacts.conda_env import render_conda_env, render_post_deploy
from lynx.artifacts.lock import direct_requirements, read_pins
from lynx.config.loading import load_experiment
from lynx.errors import InputError
from tests.unit.config_copy import copy_config

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"
LOCKS = sorted(ENVS.glob("*.lock"))
APACHE_2 = "c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4"
MAKE = shutil.which("make") or "make"
TARGETS = [
    "help", "setup", "demo", "test", "lint", "types", "format", "lock", "snapshot", "base", "bench",
    "clean",
]  # fmt: skip
# `make test` runs these tests: what make hands down to a child make must not change the answers.
PLAIN = {
    name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
}
NOT_SHIPPED = {
    ".venv", ".git", ".snakemake", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache",
    "__pycache__", "runs", "work", "logs", "data", "results", "models", "lynx.egg-info", "build",
}  # fmt: skip


def read_yaml(path: Path) -> dict[str, Any]:
    value = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(value, dict)
    return value


def entries(lock: Path) -> list[str]:
    """Each pin with its hashes, on one line."""
    text = "\n".join(line for line in lock.read_text().splitlines() if "#" not in line)
    return text.replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_hashes_and_no_origin(lock: Path) -> None:
    pattern = r"[a-z0-9._-]+==[\w.+]+( ; [^\n]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*"
    assert entries(lock)
    for entry in entries(lock):
        assert re.fullmatch(pattern, entry), entry
    text = lock.read_text()
    assert not re.search(r"https?:|file:|--index|--extra|--find-links|--trusted| @ ", text)
    named = set(re.findall(r"-r (\S+)", text))
    assert named <= {f"envs/{path.name}" for path in ENVS.glob("*.in")}


def test_the_lock_covers_every_direct_requirement() -> None:
    wanted = {*direct_requirements(ENVS / "cpu.in"), *direct_requirements(ENVS / "lmms.in")}
    assert wanted <= set(read_pins(ENVS / "cpu.lock"))
    assert set(direct_requirements(ENVS / "runtime.in")) < set(direct_requirements(ENVS / "cpu.in"))


def test_the_conda_environment_is_the_lock() -> None:
    text = (ENVS / "cpu.yaml").read_text(encoding="utf-8")
    assert text == render_conda_env(ENVS / "cpu.in", ENVS / "cpu.lock"), "run `make lock`"
    script = (ENVS / "cpu.post-deploy.sh").read_text(encoding="utf-8")
    assert script == render_post_deploy(ENVS / "cpu.lock"), "run `make lock`"
    python, pip, packages = read_yaml(ENVS / "cpu.yaml")["dependencies"]
    assert (python, pip) == ("python=3.11", "pip")
    locked = {entry.split()[0] for entry in entries(ENVS / "cpu.lock")}
    assert len(packages["pip"]) == len(set(direct_requirements(ENVS / "cpu.in")))
    assert set(packages["pip"]) <= locked


def test_a_requirement_outside_the_lock_is_told(tmp_path: Path) -> None:
    (tmp_path / "new.in").write_text("pytest\nNowhere_Known>=1  # why\n")
    with pytest.raises(InputError) as caught:
        render_conda_env(tmp_path / "new.in", ENVS / "cpu.lock")
    assert str(caught.value) == (
        f"{ENVS / 'cpu.lock'}: nowhere-known of {tmp_path / 'new.in'} is not in it; run `make lock`"
    )


def test_a_line_that_is_no_requirement_is_told(tmp_path: Path) -> None:
    (tmp_path / "new.in").write_text("two words\n")
    with pytest.raises(InputError, match=r"'two words' is not a requirement like `name==1.2`"):
        direct_requirements(tmp_path / "new.in")


def test_dependencies_stand_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["dependencies"]
    assert "dependencies" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": ["envs/runtime.in"]}


def imported_packages() -> set[str]:
    names: set[str] = set()
    for path in (ROOT / "lynx").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names - sys.stdlib_module_names - {"lynx"}


def test_what_the_package_imports_is_a_runtime_requirement() -> None:
    # lmms-eval loads its plug-in itself, so nothing else of the package imports it.
    required = {
        name for file in ("runtime", "lmms") for name in direct_requirements(ENVS / f"{file}.in")
    }
    providers = packages_distributions()
    for name in sorted(imported_packages()):
        found = {item.lower().replace("_", "-") for item in providers.get(name, [])}
        assert found & required, f"{name} ({found}) is imported but not in envs/{{runtime,lmms}}.in"


def test_ignore_rules_ship_only_what_belongs(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    shipped = ["results/README.md", "models/demo/config.json", "config/site.yaml", "lynx/cli.py",
               "profiles/local/config.yaml", "docs/demo/results/scanqa/metrics.json",
               "lynx/demo/world/scene.py", "lynx/benchmarks/data/x.py"]  # fmt: skip
    ignored = ["results/scanqa/metrics.json", "results/tables/a.csv", "runs/demo/x", "work/state",
               "data/scannet/x", "models/other/config.json", ".venv/bin/python", "logs/a.log",
               ".snakemake/log/x", "lynx/__pycache__/a.pyc", "lynx.egg-info/PKG-INFO"]  # fmt: skip
    command = ["git", "-C", str(tmp_path), "check-ignore", "--no-index", "--stdin"]
    result = subprocess.run(
        command, input="\n".join(shipped + ignored), capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines() == ignored


def make_tree(folder: Path) -> Path:
    """A tree that `make setup` can be asked about, in a folder with a space in its name."""
    tree = folder / "with space"
    tree.mkdir()
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tree)
    shutil.copytree(ENVS, tree / "envs")
    return tree


def plan(tree: Path) -> list[str]:
    """The stamps that `make setup` would write."""
    result = subprocess.run(
        [MAKE, "-n", "setup"], cwd=tree, env=PLAIN, capture_output=True, text=True, check=True
    )
    return re.findall(r"^touch (\S+)$", result.stdout, re.MULTILINE)


def test_help_lists_each_target() -> None:
    result = subprocess.run([MAKE], cwd=ROOT, env=PLAIN, capture_output=True, text=True, check=True)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [line[1] for line in lines] == TARGETS
    assert all(line[0] == "make" and len(line) > 3 for line in lines)
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert phony[1].split() == TARGETS


def test_setup_follows_the_lock_and_the_folder(tmp_path: Path) -> None:
    tree = make_tree(tmp_path)
    made, synced = plan(tree)
    (tree / ".venv").mkdir()
    for stamp in (made, synced):
        (tree / stamp).touch()
    assert plan(tree) == []
    os.utime(tree / "envs/cpu.lock")
    assert plan(tree) == [], "time alone must not install anything"
    with (tree / "envs/cpu.lock").open("a") as stream:
        stream.write("# changed\n")
    (changed,) = plan(tree)
    assert changed.startswith(".venv/.synced-")
    assert changed != synced
    moved = tree.rename(tmp_path / "elsewhere")
    remade, _ = plan(moved)
    assert remade.startswith(".venv/.made-")
    assert remade != made


def test_setup_without_python_311_says_what_to_do(tmp_path: Path) -> None:
    tree = make_tree(tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("cat", "cksum", "cut", "mkdir", "rm", "touch"):
        (tools / name).symlink_to(shutil.which(name) or name)
    other = tools / "python3"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    environment = {"PATH": str(tools)}
    result = subprocess.run(
        [MAKE, "setup"], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == (
        "Neither python3.11 nor python3 is Python 3.11; install it (for instance with apt, pyenv "
        "or conda), put it on PATH and run make again."
    )
    assert not (tree / ".venv").exists()


def test_the_ci_profile_is_the_local_one_with_its_configuration() -> None:
    ci, local = (read_yaml(ROOT / f"profiles/{name}/config.yaml") for name in ("ci", "local"))
    del local["max-jobs-per-timespan"]  # a run of seconds would end with waiting for its timers
    assert ci == {"configfile": ["config/config.yaml", "config/ci.yaml"], **local}
    assert (ROOT / "local").readlink() == Path("profiles/local")
    assert os.access(ROOT / ".ci/run", os.X_OK)


@pytest.mark.parametrize("profile", ["local", "ci"])
def test_snakemake_takes_the_profile(tmp_path: Path, profile: str) -> None:
    copy_config(tmp_path)
    (tmp_path / "Snakefile").write_text(
        "rule one:\n    output: 'one.txt'\n    resources: mem_mb=99000\n"
        "    shell: 'echo {resources.mem_mb} {resources._cores} > {output}'\n"
    )
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    (tmp_path / profile).symlink_to(f"profiles/{profile}")
    command = [sys.executable, "-m", "snakemake", "--profile", profile, "one.txt"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    # A job that asks for more memory than the profile grants gets all of it and still runs.
    assert (tmp_path / "one.txt").read_text().split()[0] == "16000"


def test_the_ci_budget_is_smaller_than_the_demo() -> None:
    files = [Path("config/config.yaml"), Path("config/ci.yaml")]
    demo, ci = load_experiment(files[:1], {"scale": "demo"}, ROOT), load_experiment(files, {}, ROOT)
    assert ci.scale_name == "demo"
    for name, recipe in ci.recipes.items():
        full = demo.recipes[name]
        assert recipe.align.optimizer.epochs < full.align.optimizer.epochs
        assert recipe.sft.optimizer.epochs < full.sft.optimizer.epochs
        assert recipe.reference.max_clips < full.reference.max_clips


def test_the_licence_is_the_unchanged_apache_2() -> None:
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2
    assert (
        tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0"
    )


def shipped_files() -> Iterator[Path]:
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in NOT_SHIPPED or folder != str(ROOT)]
        names[:] = [name for name in names if name != "__pycache__"]
        yield from (Path(folder) / name for name in files if not (Path(folder) / name).is_symlink())


def test_no_file_names_a_path_of_one_machine() -> None:
    homes = "|".join(("root", "home", "Users", "work/(?:main|shared)", "mnt", "scratch"))
    pattern = re.compile(rf"(?<![\w.:/}}*]){os.sep}(?:{homes})/\w")
    found = []
    for path in shipped_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert not found
