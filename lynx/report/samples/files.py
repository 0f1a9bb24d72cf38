"""The files of a page of samples: what is read for it, what it says of itself, where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lynx.artifacts.verify import require_stage
from lynx.benchmarks import get_benchmark
from lynx.errors import InputError
from lynx.project import Project
from lynx.report.figures.canvas import plain_style, save_figure
from lynx.report.samples.choice import Asked, choose, read_asked
from lynx.report.samples.pictures import COLUMNS, pictures_of
from lynx.report.samples.sheet import MARK_COLOURS, RIGHT, WRONG, Entry, Page, draw_page
from lynx.report.samples.sidecar import sheet_of, write_sheet
from lynx.report.terminal import TITLES, WHAT_IT_SEES

BANNER = (
    "Rendered world: clips, questions and answers are synthetic and the model is tiny; the page "
    "shows the form of the data, and its answers say nothing of the publication."
)


def write_samples_page(project: Project, benchmark: str) -> Path:
    """Write `results/figures/<scale>-<benchmark>-samples.{png,pdf,json}`; the path without ending.

    The report lays out the last one. Raises InputError if lynx has no predictions of the benchmark,
    or tables, frames or predictions cannot be used.
    """
    stem = project.layout.sample_page(benchmark)
    page = read_page(project, benchmark)
    with plain_style():
        save_figure(draw_page(page), stem, reserved=MARK_COLOURS)
    write_sheet(stem.with_name(f"{stem.name}.json"), sheet_of(page))
    return stem


def read_page(project: Project, benchmark: str) -> Page:
    """Choose the questions and look up what the page shows of them."""
    experiment = project.experiment
    split = experiment.recipes[benchmark].evaluate.split
    asked = read_asked(project, benchmark, split)
    frames = project.layout.frames(experiment.frames_of(benchmark))
    require_stage(frames, "frames")

    from lynx.features.clips import one_pass_shelf, open_shelf  # torch: a refusal does without

    view, shelf = experiment.view_of(benchmark, split), open_shelf(project, benchmark)
    groupings = experiment.benchmarks[benchmark].main_groups
    chosen = choose([each for each in asked if shelf.usable(each.sample.clip)], groupings)
    if not chosen:
        raise InputError(
            f"{frames}: no clip of the {len(asked)} questions of {benchmark}, split {split}, can "
            "be read, expected one; restore the clips and run the frames rule again"
        )
    clips = one_pass_shelf(shelf, view)
    return Page(
        title=f"{get_benchmark(benchmark).title}: sample questions",
        subtitle=f"scale {experiment.scale_name}, recipe {experiment.recipe_name}, "
        f"seed {project.seed}, split {split}",
        banner=BANNER if experiment.synthetic else "",
        notes=list(_notes(project, benchmark, asked, chosen)),
        modality=view.drawing.modality,
        entries=[
            Entry(each, _facts(each, groupings), pictures_of(clips.open(each.sample.clip), view))
            for each in chosen
        ],
    )


def _facts(asked: Asked, groupings: Sequence[str]) -> str:
    sample = asked.sample
    groups = zip(groupings, asked.groups(groupings), strict=True)
    facts = [*(f"{name}: {group}" for name, group in groups), f"question {sample.id}"]
    if len(sample.turns) > 1:
        facts.append(f"turn {len(sample.turns)} of a dialog")
    if sample.clip != sample.id:
        facts.append(f"clip {sample.clip}")
    return ", ".join(facts)


def _notes(
    project: Project, benchmark: str, asked: Sequence[Asked], chosen: Sequence[Asked]
) -> Iterator[str]:
    experiment = project.experiment
    config = experiment.benchmarks[benchmark]
    marked = any(answer.right is not None for each in asked for answer in each.answers.values())
    spread = f"spread over {' and '.join(config.main_groups)}; " if config.main_groups else ""
    how = "in being right" if marked else "in what they say"
    here, in_all = (sum(each.differs for each in those) for those in (chosen, asked))
    yield (
        f"These {len(chosen)} of {len(asked)} questions are chosen and not typical: {spread}"
        f"half of them, as far as there are such, are questions on which the variants differ {how} "
        f"({here} here, {in_all} of {len(asked)} in all); then outcomes, wordings and clips not "
        "yet shown; then a hash of the question's id."
    )
    # A mean over tasks is, of one question, what it is the mean of.
    metric = TITLES.get(config.main_metric, config.main_metric).split(",")[0]
    marks = f"{RIGHT[0]} right, {WRONG[0]} wrong by {metric} of this benchmark's scorer."
    unmarked = (
        "No answer is marked: metrics of captions say how near it is, not whether it is right."
    )
    yield (
        f"{marks if marked else unmarked} How the variants do on all questions: "
        f"results/{benchmark}/metrics.json."
    )
    view = experiment.view_of(benchmark, experiment.recipes[benchmark].evaluate.split)
    settings = view.drawing.model_dump(exclude={"modality"}, exclude_none=True).items()
    drawn = ", ".join(f"{name} {_plain(value)}" for name, value in settings)
    yield (
        f"Pictures: {min(COLUMNS, view.frames)} of the {view.frames} time steps that the model is "
        f"shown, as squares; below the video X as modality {view.drawing.modality} draws it "
        f"({drawn})."
    )
    seen = [f"{name}: {WHAT_IT_SEES[name]}" for name in chosen[0].answers if name in WHAT_IT_SEES]
    yield f"What each variant is given: {'; '.join(seen)}."


def _plain(value: object) -> str:
    return " to ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
