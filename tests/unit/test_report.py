"""`results/report.html`: one file, whole, that fetches nothing."""

from __future__ import annotations

import base64
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lynx.artifacts.hashing import hash_file
from lynx.report.figures.files import write_figures
from lynx.report.page import write_report
from tests.project_copy import ROOT, load
from tests.unit.scores import bare_project, write_score

PNG = b"\x89PNG\r\n\x1a\n"


class Page(HTMLParser):
    """Ids, links and whatever else a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.ids |= {values["id"]} if "id" in values else set()
        self.links += [values["href"]] if "href" in values else []
        self.loaded += [values[key] for key in ("src", "srcset", "data") if key in values]
        assert tag not in ("script", "link", "iframe"), "nothing beside the page is needed"


@pytest.fixture
def page(tmp_path: Path) -> tuple[Path, Page]:
    root = bare_project(tmp_path / "project")
    shutil.copy(ROOT / "dvc.yaml", root)
    for seed in range(2):
        write_score(root, "scanqa", {"em": 0.25, "em_refined": 0.5, "cider": 0.8}, seed=seed)
    write_figures(load(root))
    read = Page()
    read.feed((root / write_report(load(root))).read_text(encoding="utf-8"))
    return root, read


def test_the_report_is_whole_and_leads_where_it_says(page: tuple[Path, Page]) -> None:
    root, read = page
    assert len(read.loaded) == 6, "five figures and the workflow"
    for source in read.loaded:
        kind, data = source.split(",", 1)
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data).startswith(PNG)
    for link in read.links:
        file, _, anchor = link.partition("#")
        assert not anchor or anchor in read.ids, link
        assert not file or (root / "results" / file).is_file(), link
    assert "demo-lynx-scanqa" in read.ids
    written = hash_file(root / "results/report.html")
    write_report(load(root))
    assert hash_file(root / "results/report.html") == written, "the same bytes again"
