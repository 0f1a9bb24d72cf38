"""`results/report.html`: one file, whole, that fetches nothing."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from lynx.artifacts.hashing import hash_file
from lynx.report.figures.files import write_figures
from lynx.report.page import write_report
from lynx.report.paper.files import write_tables
from tests.project_copy import ROOT, environment, load
from tests.unit.html_page import Page
from tests.unit.scores import bare_project, write_score

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Page]:
    """The report of two runs, one curve and a page of samples, and what it is made of."""
    root = bare_project(tmp_path_factory.mktemp("report") / "project")
    shutil.copy(ROOT / "dvc.yaml", root)
    curve = root / "results/demo/training/sft/lynx/scanqa/seed0.csv"
    curve.parent.mkdir(parents=True)
    curve.write_text("step,loss\n1,0.3\n2,0.2\n", encoding="utf-8")
    samples = root / "results/figures/demo-scanqa-samples.png"
    samples.parent.mkdir(parents=True)
    Image.new("RGB", (1240, 900), "white").save(samples)
    for seed in range(2):
        write_score(root, "scanqa", {"em": 0.25, "em_refined": 0.5, "cider": 0.8}, seed=seed)
    write_figures(load(root))
    return root, Page.read(write_report(load(root)))


def test_the_report_is_whole_and_leads_where_it_says(page: tuple[Path, Page]) -> None:
    root, read = page
    assert len(read.loaded) == 7, "five figures, the samples and the workflow"
    assert len(read.captions) == 7
    assert all(len(caption) > 40 for caption in read.captions), "a caption says what is shown"
    assert read.captions[5].startswith("ScanQA at demo: ")
    for source in read.loaded:
        kind, data = source.split(",", 1)
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data).startswith(PNG)
    for link in read.links:
        file, _, anchor = link.partition("#")
        assert not anchor or anchor in read.ids, link
        assert not file or (root / "results" / file).is_file(), link
    assert "demo-lynx-scanqa" in read.ids


MADE_AGAIN = """
import socket, sys
from pathlib import Path

def refused(*_):
    raise OSError("no network here")

socket.socket.connect = socket.getaddrinfo = refused
from lynx.project import Project
from lynx.report.figures.files import write_figures
from lynx.report.page import write_report
from lynx.report.paper.files import write_tables

project = Project.load(Path("."), [], {})
write_tables(project), write_figures(project), write_report(project)
sys.exit("torch" in sys.modules)
"""


def test_made_again_it_is_the_same_bytes_without_torch_or_a_network(
    page: tuple[Path, Page],
) -> None:
    """In another process, whose hashes, clock and language differ."""
    root, _ = page
    write_tables(load(root))

    def made() -> dict[str, str]:
        kinds = (".csv", ".md", ".tex", ".html", ".png", ".pdf")
        found = (path for path in (root / "results").rglob("*") if path.suffix in kinds)
        given = ("seed0.csv", "demo-scanqa-samples.png")
        return {path.name: hash_file(path) for path in found if path.name not in given}

    first = made()
    assert len(first) == 11 * 4 + 2 + 5 * 2 + 1
    for name in first:
        next((root / "results").rglob(name)).unlink()
    other = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "MPLCONFIGDIR": str(root)}
    command = [sys.executable, "-c", MADE_AGAIN]
    done = subprocess.run(
        command, cwd=root, env=environment() | other, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert made() == first


BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
LOOK = """<script>addEventListener("load", () => {
  const shown = [...document.images].every((image) => image.naturalWidth > 0);
  const resources = performance.getEntriesByType("resource");
  const fetched = resources.filter((each) => !each.name.startsWith("data:"));
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.body.innerHTML = `<p>pictures ${shown}, fetched ${fetched.length}, sideways ${wide}</p>`;
})</script>"""


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
@pytest.mark.parametrize("width", [500, 1280])
def test_a_browser_shows_it_whole_without_a_network(page: tuple[Path, Page], width: int) -> None:
    """No window of Chromium is narrower than 500 pixels."""
    root, _ = page
    looked_at = root / "looked_at.html"
    text = (root / "results/report.html").read_text(encoding="utf-8")
    looked_at.write_text(text.replace("</body>", f"{LOOK}</body>"), encoding="utf-8")
    assert BROWSER is not None
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={root}/browser", f"--window-size={width},900"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", looked_at.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "<p>pictures true, fetched 0, sideways 0</p>" in done.stdout, done.stderr
