"""From where an artefact lies back to the settings that the configuration decides for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from lynx.config import slices
from lynx.config.experiment import Experiment
from lynx.config.files import Stream
from lynx.config.loading import DEFAULT, load_experiment
from lynx.errors import InputError

NAME = r"[^/]+"
SEED = r"/seed(?P<seed>\d+)"
PATTERNS = {
    "world": f"world/(?P<world>{NAME})",
    "base": "base",
    "data": f"data/(?P<benchmark>{NAME})",
    "frames": f"frames/(?P<frames>{NAME})",
    "reference": f"reference/(?P<group>{NAME})",
    "align": f"align/(?P<alignment>{NAME}){SEED}",
    "features": f"features/(?P<benchmark>{NAME})/(?P<split>{NAME})/"
    rf"(?P<stream>video|plain|aligned)(-(?P<variant>{NAME}))?({SEED})?",
    "sft": f"sft/(?P<variant>{NAME})/(?P<benchmark>{NAME}){SEED}",
    "predict": f"predictions/(?P<variant>{NAME})/(?P<benchmark>{NAME}){SEED}",
    "lmms": f"lmms/(?P<variant>{NAME})/(?P<benchmark>{NAME}){SEED}",
}
"""Folders below `runs/<scale>/` by stage, as `Layout` gives them."""

SCORE = re.compile(
    f"results/(?P<scale>{NAME})/(?P<variant>{NAME})/(?P<benchmark>{NAME}){SEED}/metrics.json"
)
MEASURES = ("geometry", "stability")
MEASURE = re.compile(f"results/(?P<scale>{NAME})/(?P<measure>{'|'.join(MEASURES)}).json")
HEADLINE = re.compile(f"results/(?P<benchmark>{NAME})/metrics.json")


@dataclass(frozen=True)
class Place:
    """What a path below the project's root says about the artefact or the score that lies there."""

    stage: str
    scale: str
    seed: int | None
    names: dict[str, str]


def place_of(path: Path) -> Place | None:
    """Read a path relative to the root; None for one that `Layout` does not give."""
    text = path.as_posix()
    found = re.fullmatch(rf"runs/(?P<scale>{NAME})/(?P<rest>.+)", text)
    if found is None:
        if measure := MEASURE.fullmatch(text):
            return Place(measure["measure"], measure["scale"], None, {})
        return _place("score", SCORE.fullmatch(text))
    for stage, pattern in PATTERNS.items():
        if match := re.fullmatch(pattern, found["rest"]):
            return _place(stage, match, found["scale"])
    return None


def _place(stage: str, match: re.Match[str] | None, scale: str | None = None) -> Place | None:
    if match is None:
        return None
    names = {key: value for key, value in match.groupdict().items() if value is not None}
    seed = names.pop("seed", None)
    named = names.pop("scale", None)
    return Place(stage, scale or named or "", None if seed is None else int(seed), names)


def undecided(experiment: Experiment, place: Place) -> str | None:
    """Why the configuration says nothing about an artefact; None where it does."""
    names = place.names
    trained = {experiment.trainer_of(name) for name in experiment.recipes}
    benchmarks = {
        "data": set(experiment.benchmarks),
        "features": trained | set(experiment.recipes),
        "sft": trained,
    }
    groups = {experiment.benchmarks[name].group for name in experiment.recipes}
    framed = {experiment.frames_of(name) for name in experiment.benchmarks}
    known = {
        "world": experiment.scale.worlds,
        "benchmark": benchmarks.get(place.stage, set(experiment.recipes)),
        "frames": framed,
        "group": groups | set(experiment.pooled),
        "alignment": experiment.alignments,
        "variant": set(experiment.variants) - set(experiment.faults),
    }
    for kind, held in known.items():
        if kind in names and names[kind] not in held:
            return f"{kind} {names[kind]} is not configured"
    if "split" in names and names["split"] not in experiment.splits_used(names["benchmark"]):
        return f"split {names['split']} of {names['benchmark']} is not configured"
    if place.stage in ("sft", "lmms") and not experiment.variants[names["variant"]].sft:
        return f"variant {names['variant']} is not trained"
    return None


def decided(experiment: Experiment, place: Place) -> slices.Slice:
    """The slice of the configuration for a place that it decides (`undecided` gives None)."""
    names = place.names
    if place.stage == "base":
        return {"base": experiment.scale.base}
    if place.stage == "features":
        stream = cast(Stream, names["stream"])
        return slices.features_slice(experiment, names["benchmark"], names["split"], stream)
    make = getattr(slices, f"{place.stage}_slice")
    order = ("world", "frames", "group", "alignment", "variant", "benchmark")
    found: slices.Slice = make(experiment, *(names[key] for key in order if key in names))
    return found


@dataclass
class Configured:
    """The configuration of a project, at the scale and seed that a path names."""

    root: Path
    files: Sequence[Path]
    overrides: dict[str, object]
    loaded: dict[tuple[str, int | None], Experiment | str] = field(default_factory=dict)

    def of(self, place: Place) -> Experiment | str:
        """The experiment that decides what lies at a place, or why this configuration says nothing.

        Raises InputError for a configuration that cannot be read at its own scale.
        """
        chosen = (place.scale, place.seed)
        if chosen not in self.loaded:
            self.loaded[chosen] = self._load(*chosen)
        experiment = self.loaded[chosen]
        if isinstance(experiment, str):
            return experiment
        return undecided(experiment, place) or experiment

    def _load(self, scale: str, seed: int | None) -> Experiment | str:
        if not (self.root / DEFAULT).is_file():
            return f"{self.root / DEFAULT} is not there"
        main = load_experiment(self.files, self.overrides, self.root)
        chosen = {"scale": scale, **({} if seed is None else {"seed": seed})}
        if scale == main.scale_name and seed in (None, main.main.seed):
            return main
        try:
            return load_experiment(self.files, {**self.overrides, **chosen}, self.root)
        except InputError as error:
            if scale == main.scale_name:
                raise
            return f"scale {scale} is not configured ({error})"
