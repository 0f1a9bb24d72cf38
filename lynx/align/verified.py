"""Whether a measure of base and references follows from what it names, and is as configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from lynx.artifacts.chain import Chain, Link, below_root
from lynx.artifacts.differences import brief, differences
from lynx.artifacts.sealed import number_problems, read_sealed
from lynx.artifacts.verify import version_problems
from lynx.config.decided import MEASURES, Configured, Place, decided, place_of
from lynx.config.experiment import Experiment
from lynx.config.layout import Layout
from lynx.errors import InputError

FILE_NAMES = tuple(f"{name}.json" for name in MEASURES)


class _Measure(BaseModel):
    """What the checks below rely on; the file holds more."""

    base: str
    parents: dict[str, str]


def follow(chain: Chain, configured: Configured, key: Path) -> Link:
    """Check `geometry.json` or `stability.json` and, before it, the artefacts that it names."""
    again = f"run the rule {key.stem} again"
    link = Link(chain.root / key, key.stem)
    place = place_of(key)
    try:
        report = _read(link.path, again)
    except InputError as error:
        link.problems.append(str(error))
    else:
        older = version_problems(link.path, key.stem, report.get("stage_version"), again)
        link.problems += list(older) or number_problems(link.path, report, again)
        if place is None:
            link.notes.append("not below results/, so what it was made from is not known")
        else:
            link.problems += _parent_problems(chain, link.path, report, place.scale, again)
            _compare(link, report, place, configured, again)
    return chain.links.setdefault(key, link)


def _read(path: Path, again: str) -> dict[str, Any]:
    report = read_sealed(path, again)
    try:
        _Measure.model_validate(report)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise InputError(
            f"{path}: {where} is not a measure's ({problem['msg']}); {again}"
        ) from error
    return report


def _parent_problems(
    chain: Chain, path: Path, report: Mapping[str, Any], scale: str, again: str
) -> Iterator[str]:
    """The contents that a measure names are those of the artefacts that lie there."""
    base = Layout(Path(), scale).base.as_posix()
    for name, content in {base: report["base"], **report["parents"]}.items():
        folder = below_root(chain.root, name)
        if folder is None:
            yield (
                f"{path}: names parent {name}, expected a folder below the project's root; {again}"
            )
            continue
        parent = chain.follow(folder)
        if parent.manifest is not None and parent.manifest.content != content:
            yield (
                f"{path}: made from {parent.stage} {content[:12]}, but {parent.path} is "
                f"{parent.manifest.content[:12]}; {again}"
            )


def _compare(
    link: Link, report: Mapping[str, Any], place: Place, configured: Configured, again: str
) -> None:
    experiment = configured.of(place)
    if isinstance(experiment, str):
        link.notes.append(f"not compared with the configuration: {experiment}")
        return
    found = {key: report.get(key) for key in ("scale", "synthetic", "settings")}
    for each in differences(found, _expected(experiment, place)):
        link.problems.append(
            f"{link.path}: {each.key} is {brief(each.old)} in it, expected {brief(each.new)} from "
            f"the configuration; {again} or restore the configuration"
        )


def _expected(experiment: Experiment, place: Place) -> dict[str, object]:
    return {
        "scale": place.scale,
        "synthetic": experiment.synthetic,
        "settings": decided(experiment, place),
    }
