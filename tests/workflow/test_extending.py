"""A project that has grown by the page on extending: its own tests take in what was added."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.project_copy import clone, environment
from tests.workflow import extending_page

pytestmark = pytest.mark.slow
# Those that list benchmarks, modalities, recipes or variants.
LISTS = (
    *("test_config_loading", "test_config_recipes", "test_config_schema", "test_config_sentences"),
    *("test_config_targets", "test_config_training_sets", "test_config_variants"),
    *("test_inventory", "test_modalities_registry"),
)
VARIANT = """
rank-4:
  x: aligned
  sft: true
  recipe: {align.lora.rank: 4, align.lora.alpha: 8}
"""
SOURCE = """
from lynx.benchmarks.source import Source, SplitSource

SPLITS = {split: SplitSource((name,)) for split, name in scanqa.FILES.items() if split != "val"}
BENCHMARK = replace(BENCHMARK, source=Source(SPLITS, (), "CC0", "no form", "some MB"))
"""


def pytest_in(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest on the clone's own package and tests."""
    return python(root, "-m", "pytest", "-p", "no:cacheprovider", *arguments)


def python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=environment() | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with the page's modality, benchmark, recipe and case, and a variant more."""
    root = clone(tmp_path_factory.mktemp("grown") / "project")
    extending_page.write_files(root)
    with (root / "config/variants.yaml").open("a", encoding="utf-8") as variants:
        variants.write(VARIANT)
    schema = python(root, "-m", "lynx.cli", "schema")
    assert schema.returncode == 0, schema.stderr
    return root


def test_its_lists_take_in_what_was_added(grown: Path) -> None:
    # Of the inventory what goes over the sets; its bars and tables are the same for all of them.
    of_sets = "not test_inventory or source or sources or page or set or sets"
    result = pytest_in(grown, *(f"tests/unit/{name}.py" for name in LISTS), "-k", of_sets)
    assert result.returncode == 0, result.stdout[-6000:]


def test_a_benchmark_without_a_case_is_named(grown: Path) -> None:
    cases = grown / "tests/unit/benchmark_cases.py"
    whole = cases.read_text(encoding="utf-8")
    try:
        cases.write_text(whole.replace('CASES["roomsize"]', "OTHER"), encoding="utf-8")
        result = pytest_in(grown, "tests/unit/test_benchmarks_contract.py", "-k", "has_a_case")
    finally:
        cases.write_text(whole, encoding="utf-8")
    assert result.returncode == 1
    sentence = "tests/unit/benchmark_cases.py: no case of ['roomsize']; add one each"
    assert f"AssertionError: {sentence}" in result.stdout


def test_a_source_needs_its_page(grown: Path) -> None:
    file = grown / "lynx/benchmarks/roomsize.py"
    whole = file.read_text(encoding="utf-8")
    try:
        file.write_text(whole + SOURCE, encoding="utf-8")
        result = pytest_in(grown, "tests/unit/test_inventory.py", "-k", "source or sources or page")
    finally:
        file.write_text(whole, encoding="utf-8")
    assert result.returncode == 1
    page = grown / "docs/data_preparation/roomsize.md"
    assert f"AssertionError: {page}: no such page, expected one because roomsize" in result.stdout
    assert result.stdout.count("\nFAILED ") == 1
