"""`lynx verify`: artefacts and scores, and what they were made from, on disk and as configured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lynx.align import verified as measures
from lynx.artifacts.base_inventory import INVENTORY_NAME, base_problems
from lynx.artifacts.chain import Chain, Link, counted
from lynx.artifacts.differences import brief, differences
from lynx.artifacts.manifest import MANIFEST_NAME, Manifest
from lynx.config.decided import Configured, decided, place_of
from lynx.config.experiment import Experiment
from lynx.config.roots import below, find_root
from lynx.errors import InputError
from lynx.evaluate.lmms import verified as lmms
from lynx.evaluate.metrics_file import FILE_NAME
from lynx.evaluate.verified import Scores

RESULTS = (FILE_NAME, lmms.FILE_NAME, *measures.FILE_NAMES)


def verify(
    paths: Sequence[Path],
    *,
    deep: bool,
    root: Path | None = None,
    files: Sequence[Path] = (),
    overrides: dict[str, object] | None = None,
) -> list[Link]:
    """Check artefacts, or scores, and all that they were made from: each once, parents first.

    `deep` hashes every file and computes every score again.
    Raises InputError for a path that is neither, or for a configuration that cannot be read.
    """
    place = find_root(paths[0]) if root is None else root
    configured = Configured(place, files, overrides or {})
    chain = Chain(place, deep, partial(compare, configured, deep))
    for path in paths:
        target = below(place, artefact_path(path, RESULTS))
        if target.name == FILE_NAME:
            Scores(chain, configured).follow(target)
        elif target.name == lmms.FILE_NAME:
            lmms.follow(chain, target)
        elif target.name in measures.FILE_NAMES:
            measures.follow(chain, configured, target)
        else:
            chain.follow(target)
    return list(chain.links.values())


def artefact_path(path: Path, results: Sequence[str] = (FILE_NAME,)) -> Path:
    """The folder of an artefact, or the file of a result, that a user names."""
    if path.name == MANIFEST_NAME:
        return path.parent
    if path.name in results:
        return path
    if path.is_dir():
        scored = (path / FILE_NAME).is_file() and not (path / MANIFEST_NAME).is_file()
        return path / FILE_NAME if scored else path
    found = "a file" if path.exists() else "nothing"
    raise InputError(
        f"{path}: found {found}, expected a {MANIFEST_NAME}, an artefact's folder or a "
        f"{FILE_NAME}; give one of them"
    )


def compare(configured: Configured, deep: bool, key: Path, manifest: Manifest, link: Link) -> None:
    """Add what the present configuration says about an artefact, by where it lies."""
    place = place_of(key)
    if place is None:
        link.notes.append("no run of this project, so not compared with the configuration")
        return
    if place.stage != manifest.stage:
        link.problems.append(
            f"{link.path}: an artefact of stage {manifest.stage}, expected {place.stage}; "
            "give the folder of that stage"
        )
        return
    if place.seed != manifest.seed:
        link.problems.append(
            f"{link.path}: seed is {manifest.seed} in its manifest, expected {place.seed} from its "
            "path; run its rule again"
        )
    experiment = configured.of(place)
    if isinstance(experiment, str):
        link.notes.append(f"not compared with the configuration: {experiment}")
        return
    link.problems += settings_problems(link.path, manifest, decided(experiment, place))
    if place.stage == "base":
        _compare_base(experiment, link, deep)


def settings_problems(path: Path, manifest: Manifest, expected: dict[str, Any]) -> list[str]:
    """A sentence for each key in which a manifest's settings are not the configured ones."""
    # lmms-eval's own version stands beside the slice.
    found = {
        key: value
        for key, value in manifest.settings.items()
        if not (manifest.stage == "lmms" and key == "lmms_eval")
    }
    return [
        f"{path}: {each.key} is {brief(each.old)} in its manifest, expected {brief(each.new)} "
        "from the configuration; run its rule again or restore the configuration"
        for each in differences(found, expected)
    ]


def _compare_base(experiment: Experiment, link: Link, deep: bool) -> None:
    folder, inventory = experiment.base_folder, link.path / INVENTORY_NAME
    if not folder.is_dir():
        link.notes.append(f"{folder} is not there, so its files were not compared")
    elif not link.problems:  # else the inventory itself may be what was changed
        link.problems += base_problems(folder, inventory, deep=deep)


def lines(links: Sequence[Link]) -> Iterator[str]:
    """A line for each artefact or score, and one with the counts."""
    for link in links:
        notes = "".join(f"; {note}" for note in link.notes)
        verdict = counted(link.problems, "problem") if link.problems else link.held
        yield f"{link.path}: {link.stage}, {verdict}{notes}"
    problems = [problem for link in links for problem in link.problems]
    inventories = [link for link in links if link.inventory]
    away = f"; of {len(inventories)} the raw files are not here, only their inventories"
    count = f"{counted(links, 'artefact')}, {counted(problems, 'problem')}"
    yield count + (away if inventories else "")


def as_dict(links: Sequence[Link]) -> dict[str, Any]:
    """The same as JSON types."""
    return {
        "artefacts": [
            {
                "path": link.path.as_posix(),
                "stage": link.stage,
                "files": None if link.manifest is None else len(link.manifest.files),
                "problems": link.problems,
                "notes": link.notes,
                "inventory": link.inventory,
            }
            for link in links
        ],
        "problems": sum(len(link.problems) for link in links),
    }
