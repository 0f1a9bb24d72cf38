"""`results/report.html`: one file, whole, that fetches nothing."""

from __future__ import annotations

import base64
import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lynx.artifacts.hashing import hash_file
from lynx.benchmarks.sample import Sample, Turn
from lynx.config.published import published_of
from lynx.errors import InputError
from lynx.report.figures.files import write_figures
from lynx.report.page import write_report
from lynx.report.paper.files import write_tables
from lynx.report.samples.choice import Answer, Asked
from lynx.report.samples.pictures import SIDE, Pictures
from lynx.report.samples.sheet import Entry
from lynx.report.samples.sheet import Page as SamplePage
from lynx.report.samples.sidecar import sheet_of, write_sheet
from tests.project_copy import ROOT, environment, load
from tests.unit.html_page import Page
from tests.unit.scores import bare_project, write_score

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
SAMPLES = "demo-scanqa-samples.json"
QUESTION = "Is <the> ceiling low & is the door, which leads into the corridor, open?"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Page]:
    """The report of runs in every table, one curve and a page of samples, and what it is of."""
    root = bare_project(tmp_path_factory.mktemp("report") / "project")
    shutil.copy(ROOT / "dvc.yaml", root)
    curve = root / "results/demo/training/sft/lynx/scanqa/seed0.csv"
    curve.parent.mkdir(parents=True)
    curve.write_text("step,loss\n1,0.3\n2,0.2\n", encoding="utf-8")
    write_samples(root / "results/figures" / SAMPLES)
    write_every_score(root)
    write_figures(load(root))
    return root, Page.read(write_report(load(root)))


def write_samples(path: Path) -> None:
    """A page of one question, which two variants answered."""
    sample = Sample(
        id="q",
        clip="c",
        turns=(Turn(question=QUESTION, answer="yes"),),
        references=("yes",),
        options=("an option that takes some space of a line", "another one"),
    )
    answers = {"lynx": Answer("yes", True), "repeated-video": Answer("no " * 40, False)}
    frames = np.zeros((4, SIDE, SIDE, 3), np.uint8)
    entry = Entry(Asked(sample, answers), "clip c", Pictures(frames, np.stack([frames, frames])))
    page = SamplePage("ScanQA", "scale demo", "Rendered.", ["Chosen."], "depth", [entry])
    write_sheet(path, sheet_of(page))


def write_every_score(root: Path) -> None:
    """lynx and the control of the longest name with a value in every column, over two seeds."""
    metrics: dict[str, dict[str, float]] = {}
    groups: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for table in published_of(load(root).experiment, root).tables.values():
        for column in table.columns:
            if column.benchmark is not None and column.metric is not None:
                metrics.setdefault(column.benchmark, {})[column.metric] = 0.333
                grouping, group = column.group or ("", "")
                found = groups.setdefault(column.benchmark, {}).setdefault(grouping, {})
                found.setdefault(group, {})[column.metric] = 0.333
    for benchmark, values in metrics.items():
        within = {name: found for name, found in groups[benchmark].items() if name}
        for seed, variant in ((0, "lynx"), (1, "lynx"), (0, "repeated-video")):
            found = {name: value + 0.1 * seed for name, value in values.items()}
            write_score(root, benchmark, found, variant=variant, seed=seed, groups=within)


def test_the_report_is_whole_and_leads_where_it_says(page: tuple[Path, Page]) -> None:
    root, read = page
    assert len(read.loaded) == 8, "five figures, two strips of the samples and the workflow"
    assert len(read.captions) == 6
    assert all(len(caption) > 40 for caption in read.captions), "a caption says what is shown"
    for source in read.loaded:
        kind, data = source.split(",", 1)
        assert kind in ("data:image/png;base64", "data:image/jpeg;base64")
        assert base64.b64decode(data).startswith(PNG if "png" in kind else JPEG)
    for link in read.links:
        file, _, anchor = link.partition("#")
        assert not anchor or anchor in read.ids, link
        assert not file or (root / "results" / file).is_file(), link
    assert "demo-lynx-scanqa" in read.ids


def test_samples_are_text_with_marks_and_pictures(page: tuple[Path, Page]) -> None:
    root, read = page
    text = (root / "results/report.html").read_text(encoding="utf-8")
    assert "demo-scanqa-samples" in read.ids
    assert f'<p class="question">{html.escape(QUESTION)}</p>' in text
    assert "<li>(B) another one</li>" in text
    answers = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text.split('<dl class="answers">')[1])[:3]
    assert [re.sub("<.*?>", "", name) for name, _ in answers] == [
        "reference", "✓lynx", "✗repeated-video",
    ]  # fmt: skip
    assert answers[2][1] == "no " * 40, "in full"


def test_the_report_says_first_that_its_runs_are_rendered(page: tuple[Path, Page]) -> None:
    text = (page[0] / "results/report.html").read_text(encoding="utf-8")
    banner = text.index("Runs at scale demo are of a tiny model on rendered worlds.")
    assert banner < text.index('<h2 id="tables">')


def test_without_a_page_of_samples_or_a_rendered_run_the_report_names_neither(
    tmp_path: Path,
) -> None:
    root = bare_project(tmp_path / "project")
    shutil.copy(ROOT / "dvc.yaml", root)
    write_score(root, "scanqa", {"em": 0.25, "em_refined": 0.5, "cider": 0.8}, scale="0.5b")
    text = write_report(load(root)).read_text(encoding="utf-8")
    assert "Samples" not in text
    assert "rendered worlds. They show" not in text


def test_a_page_of_samples_that_is_none_ends_it(tmp_path: Path) -> None:
    root = bare_project(tmp_path / "project")
    shutil.copy(ROOT / "dvc.yaml", root)
    (root / "results/figures").mkdir(parents=True)
    (root / "results/figures" / SAMPLES).write_text("{", encoding="utf-8")
    with pytest.raises(InputError) as error:
        write_report(load(root))
    assert str(error.value).startswith(f"{root}/results/figures/{SAMPLES}: the whole file is not")


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
from lynx.report.samples.choice import Answer, Asked
from lynx.report.samples.pictures import SIDE, Pictures
from lynx.report.samples.sheet import Entry
from lynx.report.samples.sheet import Page as SamplePage
from lynx.report.samples.sidecar import sheet_of, write_sheet

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
        given = ("seed0.csv",)
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
# No window of Chromium is narrower than 500 pixels, but a frame in it may be.
FRAME = """<!doctype html><iframe width="{width}" height="900" srcdoc="{page}"></iframe>
<script>addEventListener("load", () => {{
  const inside = document.querySelector("iframe").contentWindow, page = inside.document;
  const wide = (each) => each.scrollWidth - each.clientWidth;
  const cut = (chosen) => [...page.querySelectorAll(chosen)].filter((each) => wide(each) > 0);
  const columns = (each) => each.querySelector("thead tr").cells.length;
  const narrow = cut(".scroll").filter((each) => columns(each) <= 12);
  const shown = [...page.images].every((image) => image.naturalWidth > 0);
  const resources = inside.performance.getEntriesByType("resource");
  const fetched = resources.filter((each) => !each.name.startsWith("data:"));
  const tables = page.querySelectorAll(".scroll");
  document.body.innerText = `pictures ${{shown}}, fetched ${{fetched.length}}, `
    + `sideways ${{wide(page.documentElement)}}, tables ${{tables.length}}, `
    + `cut tables ${{narrow.length}}, cut samples ${{cut(".sample, .sample *").length}}`;
}})</script>"""


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_it_whole_without_a_network(page: tuple[Path, Page], width: int) -> None:
    """Tables scroll on a phone, on a desk the twenty columns of B2 alone; samples never do."""
    root, _ = page
    looked_at = root / "looked_at.html"
    text = (root / "results/report.html").read_text(encoding="utf-8")
    looked_at.write_text(FRAME.format(width=width, page=html.escape(text)), encoding="utf-8")
    assert BROWSER is not None
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={root}/browser", "--window-size=1400,900"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", looked_at.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    found = re.search("pictures true, fetched 0, sideways 0, tables .*", done.stdout)
    assert found is not None, done.stdout[-500:] + done.stderr
    tables, cut, samples = map(int, re.findall(r"(?:tables|samples) (\d+)", found[0]))
    assert tables >= 11
    assert samples == 0
    assert width < 1280 or cut == 0, found[0]
