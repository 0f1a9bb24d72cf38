"""The page of sample questions: which are chosen, how answers are marked, what is drawn."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from PIL import Image

from lynx.benchmarks import get_benchmark
from lynx.benchmarks.sample import Sample, Turn
from lynx.config.inputs import samples_inputs
from lynx.config.layout import Layout
from lynx.config.stages import ViewSettings
from lynx.config.workflow import WorkflowConfig
from lynx.errors import InputError
from lynx.features import clips
from lynx.media.inventory import inspect_clip
from lynx.media.shelf import VideoShelf
from lynx.modalities.depth import DepthDrawing
from lynx.modalities.fast import FastDrawing
from lynx.modalities.view import ViewDrawing
from lynx.report.figures.canvas import (
    DOTS_PER_INCH,
    ELLIPSIS,
    new_figure,
    plain_style,
    png_of,
    text_width,
    wrapped,
)
from lynx.report.samples.choice import Answer, Asked, choose, marking
from lynx.report.samples.files import read_page, write_samples_page
from lynx.report.samples.pictures import SIDE, Pictures, _rows, pictures_of
from lynx.report.samples.sheet import (
    MARGIN,
    MARK_COLOURS,
    RIGHT,
    WRONG,
    Entry,
    Page,
    draw_page,
    with_option,
)
from lynx.report.samples.sidecar import read_sheet, sheet_of, write_sheet
from tests.media_writer import click, write_film
from tests.unit.config_copy import load
from tests.unit.made_runs import BENCHMARK, CHOSEN, make, project_at

NEEDS = ("colour", "depth", "sound")


def asked(number: int, needs: str, right: tuple[bool, bool], clip: str | None = None) -> Asked:
    """A question with the marks of two variants."""
    sample = Sample(
        id=f"q{number}",
        clip=clip or f"clip{number}",
        turns=(Turn(question=f"question {number}?", answer="yes"),),
        references=("yes",),
        tags={"needs": needs},
    )
    names = ("lynx", "video-only")
    return Asked(
        sample, {name: Answer("yes", mark) for name, mark in zip(names, right, strict=True)}
    )


def many() -> list[Asked]:
    """A table whose questions nearly all need colour and are answered alike."""
    found = [asked(number, "colour", (True, True)) for number in range(60)]
    found += [asked(60 + number, "depth", (True, number == 0)) for number in range(4)]
    found += [asked(70 + number, "sound", (number > 1, number > 2)) for number in range(4)]
    return [*found, asked(80, "colour", (False, True)), asked(81, "depth", (False, False))]


def test_a_choice_is_spread_over_the_groups_and_over_what_the_variants_do() -> None:
    chosen = choose(many(), ["needs"])
    assert [each.sample.tags["needs"] for each in chosen] == [n for n in NEEDS for _ in range(2)]
    assert sum(each.differs for each in chosen) == 3
    assert {each.outcomes for each in chosen} == {
        (True, True), (True, False), (False, True), (False, False),
    }  # fmt: skip


def test_a_choice_does_not_depend_on_the_order_of_the_table() -> None:
    names = {each.sample.id for each in choose(many(), ["needs"])}
    assert {each.sample.id for each in choose(many()[::-1], ["needs"])} == names
    assert [each.sample.id for each in choose(many()[:2], ["needs"])] == ["q0", "q1"]


def test_clips_and_wordings_are_shown_once_where_there_are_others() -> None:
    table = [asked(number, "sound", (True, True), f"clip{number % 2}") for number in range(20)]
    assert {each.sample.clip for each in choose(table, ["needs"], 2)} == {"clip0", "clip1"}
    assert len(choose(table, [], 3)) == 3


@pytest.mark.parametrize(
    ("name", "metric", "references", "options", "answers"),
    [
        ("scanqa", "em", ("brown chair",), (), {"Brown chair.": True, "chair": False}),
        ("scanqa", "em_refined", ("brown chair",), (), {"chair": True, "": False}),
        ("music_avqa", "exact_accuracy", ("two",), (), {"two": True, "twotwo": False, "": False}),
        ("mlvu", "mean_accuracy", ("B",), ("red", "blue"), {"(B) blue": True, "A": False}),
        ("egoexo", "accuracy", ("Novice",), (), {"a novice": True, "Late Expert": False}),
    ],
)
def test_an_answer_is_marked_by_the_benchmarks_own_rule(
    name: str,
    metric: str,
    references: tuple[str, ...],
    options: tuple[str, ...],
    answers: dict[str, bool],
) -> None:
    sample = Sample(
        id="q",
        clip="c",
        turns=(Turn(question="what?", answer=references[0]),),
        references=references,
        type="plotQA",
        options=options,
    )
    rule = marking(get_benchmark(name), metric)
    assert rule is not None
    assert {text: rule(sample, text) for text in answers} == answers


def test_captions_are_not_marked_right_or_wrong() -> None:
    assert marking(get_benchmark("avsd"), "cider") is None


def test_a_letter_is_shown_with_its_option() -> None:
    sample = many()[0].sample.model_copy(update={"options": ("bell", "bird")})
    shown = [with_option(sample, text) for text in ("B", "B: bird", "bird", "C")]
    assert shown == ["B: bird", "B: bird", "bird", "C"]


def test_lines_fit_their_width_and_say_where_they_end_early() -> None:
    text = "a long question about $5 and " + "w" * 200
    lines = wrapped(text, 1.5, 8)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert max(text_width(line, 8) for line in lines) <= 1.5
    short = wrapped(text, 1.5, 8, most=2)
    assert len(short) == 2
    assert short[-1].endswith(ELLIPSIS)
    assert text_width(short[-1], 8) <= 1.5


def test_no_text_leaves_the_page_or_meets_another() -> None:
    """Long questions, options and answers, seven variants, and text that looks like formulas."""
    long = "What does the person do after $5 and $6 were put on the table & counted? " * 3
    sample = Sample(
        id="q",
        clip="c" * 200,
        turns=(Turn(question=long, answer="B"),),
        references=("B", "A"),
        options=(long[:70], long[:75], "short"),
    )
    answers = {f"variant-{number}": Answer(long, number % 2 == 0) for number in range(7)}
    blank = np.zeros((4, SIDE, SIDE, 3), np.uint8)
    entry = Entry(Asked(sample, answers), f"clip {sample.clip}", Pictures(blank, blank[None]))
    with plain_style():
        page = draw_page(Page("title", "scale", "banner", [long], "fast", [entry]))
        boxes = [text.get_window_extent() for text in page.texts if text.get_text()]
    assert len(boxes) > 30
    edge = MARGIN * DOTS_PER_INCH - 2
    assert all(box.x0 > 0 and box.x1 < page.bbox.x1 - edge for box in boxes)
    assert all(edge < box.y0 and box.y1 < page.bbox.y1 - edge for box in boxes)
    pairs = [(one, other) for n, one in enumerate(boxes) for other in boxes[:n]]
    # Lines may touch where one has a descender and the next an accent, not more.
    assert not [1 for one, other in pairs if one.padded(-2).overlaps(other.padded(-2))]


@pytest.mark.parametrize("mark", [RIGHT, WRONG])
def test_a_mark_keeps_its_colour_beside_colourful_pictures(mark: tuple[str, str]) -> None:
    """Pictures of many reds, greens and oranges would have all 256 colours."""
    side = np.arange(0, 256, 4, dtype=np.uint8)
    reds = np.stack(np.broadcast_arrays(side[:, None], side[None], np.uint8(30)), axis=-1)
    with plain_style():
        figure = new_figure(3, 2)
        axes = figure.add_axes((0, 0, 0.5, 1))
        axes.imshow(reds, aspect="auto", interpolation="none")
        axes.set_axis_off()
        figure.text(0.75, 0.5, mark[0], fontsize=9.5, fontweight="bold", color=mark[1])
        pixels = [
            np.asarray(Image.open(io.BytesIO(png_of(figure, kept))).convert("RGB"))[:, 250:]
            for kept in (MARK_COLOURS, ())
        ]
    colour = [int(mark[1][place : place + 2], 16) for place in (1, 3, 5)]
    exact, lost = ((each == colour).all(axis=-1).sum() for each in pixels)
    assert exact > 5
    assert not lost, "otherwise this shows nothing"


class Numbered:
    """A clip of 12 frames, each of one brightness: ten times its number."""

    name = "numbered"

    def choose(self, steps: int, sampling: str) -> tuple[int, ...]:
        return tuple(round(place) for place in np.linspace(0, 11, steps))

    def items(self, steps: int) -> list[tuple[int, ...]]:
        return [self.choose(steps, "uniform")]

    def color(self, places: tuple[int, ...]) -> np.ndarray:
        return np.stack([np.full((30, 40, 3), 10 * place, np.uint8) for place in places])


def view(drawing: ViewDrawing | FastDrawing, frames: int) -> ViewSettings:
    return ViewSettings(
        frames=frames, sampling="uniform", drawing=drawing, merge_pairs=False, pool_x=False
    )


def test_pictures_are_frames_that_the_model_sees_with_x_of_the_same_moments() -> None:
    drawing = ViewDrawing(modality="view", cameras="same", count=2)
    found = pictures_of(Numbered(), view(drawing, 7))
    assert found.video.shape == (4, SIDE, SIDE, 3)
    assert found.video[:, 0, 0, 0].tolist() == [0, 40, 70, 110]
    assert found.x[..., 0, 0, 0].tolist() == [[0, 40, 70, 110]] * 2


def test_dense_frames_are_laid_on_one_picture() -> None:
    found = pictures_of(Numbered(), view(FastDrawing(modality="fast", per_step=4), 3))
    assert found.x.shape == (1, 3, SIDE, SIDE, 3)
    assert found.x[0, 1, [0, 0, -1, -1], [0, -1, 0, -1], 0].tolist() == [40, 50, 60, 70]


def test_two_drawings_of_a_time_step_stand_in_two_rows() -> None:
    drawing = DepthDrawing(
        modality="depth", encoding="turbo+normals", clip_mm=(200, 9000), normals_frame="camera"
    )
    drawn = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    assert _rows(drawn, 5, [0, 2, 4], drawing)[..., 0, 0, 0].tolist() == [[0, 4, 8], [1, 5, 9]]
    assert _rows(drawn[:1], 5, [0, 2, 4], drawing)[..., 0, 0, 0].tolist() == [[0]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which lynx answered two questions about one film."""
    project = project_at(tmp_path)
    layout = Layout(Path(), "demo")
    for folder in (layout.predictions("lynx", BENCHMARK, 0), layout.frames("music")):
        make(project, folder, {})
    write_film(tmp_path / "film.mp4", click(2.0, 1.0, 16000, 1), 16000)
    shelf = VideoShelf(
        tmp_path, {"clip": inspect_clip(tmp_path, "clip", ["film.mp4"], heard=True)}, "pyav"
    )
    monkeypatch.setattr(clips, "open_shelf", lambda *_: shelf)
    return tmp_path


def test_a_page_shows_every_variant_that_was_run_and_says_what_it_is_of(run: Path) -> None:
    page = read_page(project_at(run), BENCHMARK)
    marks = [each.asked.answers["lynx"].right for each in page.entries]
    assert marks == [True, False]
    assert {name for each in page.entries for name in each.asked.answers} == {"lynx"}
    assert page.subtitle == "scale demo, recipe demo, seed 0, split test"
    assert page.banner.startswith("Rendered world:")
    assert page.notes[0].startswith("These 2 of 2 questions are chosen and not typical")
    texts = [text.get_text() for text in draw_page(page).texts]
    assert [text for text in texts if text in (RIGHT[0], WRONG[0])] == [RIGHT[0], WRONG[0]]
    assert {"MUSIC-AVQA: sample questions", "how many?", "left", "right"} <= set(texts)


def test_a_page_made_twice_is_the_same_file(run: Path) -> None:
    def made() -> dict[str, bytes]:
        stem = write_samples_page(project_at(run), BENCHMARK)
        return {path.name: path.read_bytes() for path in stem.parent.iterdir()}

    first = made()
    assert set(first) == {f"demo-music_avqa-samples.{kind}" for kind in ("png", "pdf", "json")}
    with matplotlib.rc_context({"font.size": 20, "savefig.dpi": 30, "pdf.compression": 0}):
        assert made() == first
    assert b"CreationDate" not in first["demo-music_avqa-samples.pdf"]


def test_a_control_is_shown_where_it_was_run_with_the_same_recipe_and_table(run: Path) -> None:
    project, layout = project_at(run), Layout(Path(), "demo")
    make(project, layout.predictions("repeated-video", BENCHMARK, 0), {})
    page = read_page(project, BENCHMARK)
    assert {tuple(each.asked.answers) for each in page.entries} == {("lynx", "repeated-video")}
    assert "repeated-video: video twice" in page.notes[-1]
    other = project_at(run, overrides={"evaluate.max_new_tokens": 3})
    make(other, layout.predictions("plain-tower", BENCHMARK, 0), {})
    page = read_page(project, BENCHMARK)
    assert {tuple(each.asked.answers) for each in page.entries} == {("lynx", "repeated-video")}


def test_a_page_is_due_again_when_a_control_was_run(run: Path) -> None:
    config = WorkflowConfig.load([], CHOSEN, run)
    wildcards = SimpleNamespace(scale="demo", benchmark=BENCHMARK)
    project, layout = project_at(run), Layout(Path(), "demo")
    before = config.controls_there(wildcards)
    make(project, layout.predictions("video-only", BENCHMARK, 0), {})
    assert config.controls_there(wildcards) == before, "a shown variant is an input"
    make(project, layout.predictions("repeated-video", BENCHMARK, 0), {})
    assert config.controls_there(wildcards) != before


def test_beside_a_page_stands_its_text_in_full_with_small_pictures(tmp_path: Path) -> None:
    long = "What does the person do? " * 40
    sample = Sample(
        id="q",
        clip="c",
        turns=(Turn(question=long, answer="B"),),
        references=("B",),
        options=("red", "blue <b>"),
    )
    answers = {"lynx": Answer("B", True), "video-only": Answer(None, False)}
    blank = np.zeros((4, SIDE, SIDE, 3), np.uint8)
    entry = Entry(Asked(sample, answers), "clip c", Pictures(blank, np.stack([blank, blank])))
    path = tmp_path / "sheet.json"
    write_sheet(path, sheet_of(Page("title", "scale", "banner", ["note"], "view", [entry])))
    (found,) = read_sheet(path).questions
    assert (found.question, found.options) == (long, ("(A) red", "(B) blue <b>"))
    assert found.reference == "B: blue <b>"
    assert [(each.variant, each.text, each.right) for each in found.answers] == [
        ("lynx", "B: blue <b>", True),
        ("video-only", "(nothing)", False),
    ]
    assert [(strip.name, strip.width, strip.height) for strip in found.strips] == [
        ("video", 492, 120),
        ("X: view", 492, 244),
    ]
    for strip in found.strips:
        picture = Image.open(io.BytesIO(base64.b64decode(strip.jpeg)))
        assert (picture.format, picture.size) == ("JPEG", (strip.width, strip.height))


def test_a_page_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "demo-scanqa-samples.json"
    path.write_text('{"title": "ScanQA"}', encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_sheet(path)
    assert str(error.value) == (
        f"{path}: subtitle is not a page of samples' (Field required); delete it, or make it again "
        "with the sample_page rule"
    )


def test_a_benchmark_without_predictions_names_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        write_samples_page(project_at(tmp_path), BENCHMARK)
    assert str(error.value) == (
        f"{tmp_path}/runs/demo/predictions/lynx/music_avqa/seed0: no predictions of lynx on "
        "music_avqa, expected those of seed 0; run `snakemake --profile local "
        "results/music_avqa/metrics.json` first"
    )


def test_answers_of_another_recipe_are_refused(run: Path) -> None:
    other = project_at(run, overrides={"evaluate.max_new_tokens": 3})
    with pytest.raises(InputError) as error:
        write_samples_page(other, BENCHMARK)
    assert str(error.value) == (
        f"{run}/runs/demo/predictions/lynx/music_avqa/seed0: predictions of another recipe than "
        "the configured one; run the predict rule again"
    )


def test_the_rule_waits_for_the_answers_of_every_configured_variant() -> None:
    found = samples_inputs(load({"compare_with": ["video-only"], "seed": 2}), "scanqa")
    assert found == [
        f"runs/demo/{name}/manifest.json"
        for name in (
            "data/scanqa",
            "frames/3d",
            "predictions/lynx/scanqa/seed2",
            "predictions/video-only/scanqa/seed2",
        )
    ]
