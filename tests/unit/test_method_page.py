"""What recipes and docstrings cite stands in docs/method.md and docs/architecture.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.unit.config_copy import ROOT

METHOD = (ROOT / "docs/method.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
THIS = Path(__file__).resolve()
RECIPES = sorted((ROOT / "config/recipes").glob("*.yaml"))
CODE = sorted((ROOT / "lynx").rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path != THIS)

NUMBER = r"\d+(?:\.\d+)*"
# "method 2.4", "method section 3", "method sections 2.4 and 9.3", "method 2.4, 2.5.1"
SECTION = re.compile(rf"[Mm]ethod(?: sections?)? ({NUMBER}(?:(?:,| and) \d+(?:\.\d+)+)*)")
LABEL = re.compile(r"\b[PSC]\d{1,2}\b")
# 7.1 row "AVQA, 0.5B and 7B": a size behind the task is not part of its row's name
ROW = re.compile(r'\b(6|7\.[1-4]) rows? "([^"]+?)(?:, (?:0\.5B|7B|both)[^"]*)?"')
RULE = re.compile(r"[Aa]rchitecture, rules? (\d+)(?:-(\d+))?")


def words(path: Path) -> str:
    """A file's text in one line, as a citation may be broken over two; `#` of comments gone."""
    text = path.read_text(encoding="utf-8")
    return " ".join(re.sub(r"^\s*#", " ", text, flags=re.MULTILINE).split())


def cited(pattern: re.Pattern[str], paths: list[Path]) -> Iterator[tuple[str, re.Match[str]]]:
    for path in paths:
        for match in pattern.finditer(words(path)):
            yield str(path.relative_to(ROOT)), match


def first_cells(text: str) -> list[str]:
    """First cells of all table rows, without marks of code."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [row.split("|")[1].strip().replace("`", "") for row in rows]


def section(number: str) -> str:
    """The text below a numbered heading, up to the next heading of its level or a higher one."""
    found = re.search(rf"^(#+) {re.escape(number)}\.? .*$", METHOD, flags=re.MULTILINE)
    assert found, f"docs/method.md has no section {number}"
    rest = METHOD[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, flags=re.MULTILINE)
    return rest[: end.start()] if end else rest


def test_cited_sections_have_headings() -> None:
    headings = set(re.findall(rf"^#+ ({NUMBER})\.? ", METHOD, flags=re.MULTILINE))
    found = list(cited(SECTION, [*RECIPES, *CODE, *TESTS]))
    numbers = {(place, each) for place, match in found for each in re.findall(NUMBER, match[1])}
    assert {"2.5.1", "2.5.4", "9.3"} <= {number for _, number in numbers}
    assert [(place, number) for place, number in sorted(numbers) if number not in headings] == []


def test_cited_rows_stand_in_their_tables() -> None:
    found = {(place, match[1], match[2]) for place, match in cited(ROW, RECIPES)}
    assert ("config/recipes/released.yaml", "7.1", "Fast video") in found
    missing = [
        (place, number, row)
        for place, number, row in sorted(found)
        if not any(cell.startswith(row.replace("`", "")) for cell in first_cells(section(number)))
    ]
    assert missing == []


def test_cited_labels_are_explained() -> None:
    explained = {label for cell in first_cells(section("9")) for label in LABEL.findall(cell)}
    found = {(place, match[0]) for place, match in cited(LABEL, [*RECIPES, *CODE])}
    assert {"S16", "P13"} <= {label for _, label in found}
    assert [(place, label) for place, label in sorted(found) if label not in explained] == []


def test_cited_rules_are_numbered() -> None:
    text = ARCHITECTURE.split("## Rules at the doors")[1].split("\n## ")[0]
    rules = [int(cell) for cell in first_cells(text) if cell.isdigit()]
    assert rules == list(range(1, 13))
    found = list(cited(RULE, [*CODE, *TESTS]))
    assert len(found) > 20
    assert [place for place, match in found for n in match.groups() if n and int(n) > 12] == []
