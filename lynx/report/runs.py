"""All scores below `results/`, each checked: what tables and figures are made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from lynx.artifacts.differences import brief, differences
from lynx.artifacts.lineage import PARAMETERS, VIDEOS
from lynx.errors import InputError
from lynx.evaluate.metrics_file import AGAIN, FILE_NAME, own_problems, read_report

RESULTS = Path("results")
RENDERED = "Runs at scale demo are of a tiny model on rendered worlds."
"""What every page of tables or runs says at its head, where some are of a rendered world."""
_RUN = re.compile(r"(?P<scale>[^/]+)/(?P<variant>[^/]+)/(?P<benchmark>[^/]+)/seed(?P<seed>\d+)")


class _View(BaseModel):
    frames: int
    sampling: str
    drawing: dict[str, Any] | None = None
    """Not there where no X is shown."""


class _Settings(BaseModel):
    view: _View
    sft: dict[str, Any] | None = None


class _Base(BaseModel):
    base: str


class _Cost(BaseModel):
    stage: str
    seconds: float
    processes: int
    peak_memory_mb: float
    device: str


class _Artefact(BaseModel):
    stage: str
    content: str
    videos: int | None = None
    """Of references alone."""


class _Shared(BaseModel):
    clips: int


class _Tabled(BaseModel):
    """What tables show of a score beside its metrics."""

    synthetic: bool
    data: str
    predictions: str
    parents: _Base
    versions: dict[str, str]
    settings: _Settings
    visual_tokens: int
    prompt: str
    ranks: dict[str, int]
    parameters: dict[str, int]
    clips: dict[str, int]
    shared_names: _Shared
    artefacts: dict[str, _Artefact]
    cost: dict[str, _Cost]


@dataclass(frozen=True, order=True)
class RunName:
    """Scale, variant, benchmark and seed: what a run is called."""

    scale: str
    variant: str
    benchmark: str
    seed: int

    @property
    def folder(self) -> Path:
        """Where its score lies, below `results/`."""
        return Path(self.scale, self.variant, self.benchmark, f"seed{self.seed}")


@dataclass(frozen=True)
class Run:
    """One score, as `metrics.json` holds it, and the file's path below the project's root."""

    name: RunName
    path: Path
    report: Mapping[str, Any]

    @property
    def synthetic(self) -> bool:
        """Whether it was scored on the rendered world."""
        return bool(self.report["synthetic"])

    def value(self, metric: str, group: tuple[str, str] | None) -> float | None:
        """A metric over all questions, or in one group; None where the run has none such."""
        found: Mapping[str, Any] = self.report["metrics"]
        if group is not None:
            found = self.report["groups"].get(group[0], {}).get(group[1], {})
        return float(found[metric]["value"]) if metric in found else None

    @property
    def parameters(self) -> int | None:
        """How many numbers its adapters hold; None where these were published without a count."""
        trained: Mapping[str, int] = self.report[PARAMETERS]
        if not trained and "sft" in self.report["parents"]:
            return None
        return sum(trained.values())

    @property
    def trained(self) -> bool:
        """Whether it has an adapter; without one it does not depend on its seed."""
        return bool(self.report["ranks"])

    @property
    def videos(self) -> int | None:
        """How many videos the references behind it are of; None where it was aligned with none."""
        counts = [each[VIDEOS] for each in self.made_by("reference").values() if VIDEOS in each]
        return sum(counts) if counts else None

    def made_by(self, stage: str) -> dict[str, dict[str, Any]]:
        """The references or adapters behind it that a stage made, by their folder."""
        found: Mapping[str, dict[str, Any]] = self.report["artefacts"]
        return {folder: each for folder, each in found.items() if each["stage"] == stage}

    def costs(self) -> dict[str, dict[str, Any]]:
        """What every artefact behind it took, by its folder; see `lynx.artifacts.lineage`."""
        found: dict[str, dict[str, Any]] = self.report["cost"]
        return found


@dataclass(frozen=True)
class Runs:
    """Runs by name."""

    found: Mapping[RunName, Run]

    def __iter__(self) -> Iterator[Run]:
        yield from self.found.values()

    @property
    def scales(self) -> tuple[str, ...]:
        """Every scale that has a run."""
        return tuple(sorted({name.scale for name in self.found}))

    def over_seeds(self, scale: str, variant: str, benchmark: str) -> dict[int, Run]:
        """The runs that differ in their seed alone, by seed."""
        wanted = (scale, variant, benchmark)
        return {
            name.seed: run
            for name, run in self.found.items()
            if (name.scale, name.variant, name.benchmark) == wanted
        }


def read_runs(root: Path) -> Runs:
    """Every `results/<scale>/<variant>/<benchmark>/seed<k>/metrics.json` below `root`.

    The copies in `results/<benchmark>/` are left out. Raises InputError for a file that is no score
    of today's code, was edited, holds a number that is none, says it is another run than its place
    does, or lies where no run's score lies, and for seeds that differ in more than their seed.
    """
    return _runs(root, sorted((root / RESULTS).rglob(FILE_NAME)))


def read_runs_of(root: Path, scale: str, benchmark: str) -> Runs:
    """Those of one benchmark at one scale, whatever is wrong with others."""
    pattern = f"{scale}/*/{benchmark}/seed*/{FILE_NAME}"
    return _runs(root, sorted((root / RESULTS).glob(pattern)))


def _runs(root: Path, paths: Iterable[Path]) -> Runs:
    # No two have one name: each lies at the one place that its name has.
    found = {run.name: run for run in _each(root, paths)}
    ordered = sorted(found.values(), key=lambda run: run.name)
    for _, seeds in groupby(ordered, lambda run: run.name.folder.parent):
        _require_one_making(root, list(seeds))
    return Runs(found)


def _each(root: Path, paths: Iterable[Path]) -> Iterator[Run]:
    for path in paths:
        place = path.parent.relative_to(root / RESULTS).as_posix()
        named = _RUN.fullmatch(place)
        if named is None:
            if "/" in place:
                raise InputError(
                    f"{path}: no run's score lies there, expected "
                    "results/<scale>/<variant>/<benchmark>/seed<k>/metrics.json; move or delete it"
                )
            continue
        name = RunName(named["scale"], named["variant"], named["benchmark"], int(named["seed"]))
        if name.folder.as_posix() != place:
            raise InputError(
                f"{path}: no run's score lies there, that of seed {name.seed} has its place at "
                f"{root / RESULTS / name.folder / FILE_NAME}; move or delete it"
            )
        yield Run(name, path.relative_to(root), _checked(path, name))


def _require_one_making(root: Path, seeds: Sequence[Run]) -> None:
    """Runs that are taken together as seeds of one must be decided alike but for their seed."""
    first, *others = seeds
    for other in others:
        for found in differences(_decided_by(first.report), _decided_by(other.report)):
            raise InputError(
                f"{root / other.path}: {found.key} is {brief(found.new)}, but {brief(found.old)} "
                f"in {root / first.path}, expected seeds of one run that differ in their seed "
                "alone; make one of them again as the other was made, or delete it"
            )


def _decided_by(report: Mapping[str, Any]) -> dict[str, Any]:
    """What decides a run beside its seed and its training's luck."""
    settings: Mapping[str, Any] = report["settings"]
    if tuning := settings.get("sft"):
        unseeded = {key: value for key, value in tuning.items() if key != "seed"}
        settings = {**settings, "sft": unseeded}
    return {
        **{key: report[key] for key in ("recipe", "split", "data", "ranks")},
        "parents": {"base": report["parents"]["base"]},
        "settings": settings,
    }


def _checked(path: Path, name: RunName) -> dict[str, Any]:
    report = read_report(path)
    said = RunName(report["scale"], report["variant"], report["benchmark"], report["seed"])
    if said != name:
        raise InputError(
            f"{path}: claims to be the score of {said.folder.as_posix()}, whose place is there; "
            f"delete this copy, or run the score rule of {name.folder.as_posix()}"
        )
    for problem in own_problems(path, report):
        raise InputError(problem)
    try:
        _Tabled.model_validate(report)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {key} is not a score's ({first['msg']}); {AGAIN}") from error
    return report
