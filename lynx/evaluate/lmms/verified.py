"""Whether `lmms_eval.json` is as it was written, by this code, of the run that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lynx.artifacts.chain import Chain, Link
from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import MANIFEST_NAME
from lynx.artifacts.sealed import edits, read_sealed
from lynx.artifacts.verify import version_problems
from lynx.config.layout import Layout
from lynx.errors import InputError

FILE_NAME = "lmms_eval.json"
PLACE = re.compile(
    r"results/(?P<scale>[^/]+)/(?P<variant>[^/]+)/(?P<benchmark>[^/]+)/seed(?P<seed>\d+)/"
    + re.escape(FILE_NAME)
)
AGAIN = "run the lmms rule again"


def follow(chain: Chain, key: Path) -> Link:
    """Check a score of lmms-eval and, before it, the run's answers and what is behind them."""
    link = Link(chain.root / key, "lmms-eval's score")
    place = PLACE.fullmatch(key.as_posix())
    try:
        report = read_sealed(link.path, AGAIN)
    except InputError as error:
        link.problems.append(str(error))
    else:
        link.problems += edits(link.path, report, AGAIN)
        link.problems += version_problems(link.path, "lmms", report.get("stage_version"), AGAIN)
        if place is None:
            link.notes.append("not below results/, so what it was made from is not known")
        else:
            seed = int(place["seed"])
            folder = Layout(Path(), place["scale"]).lmms(place["variant"], place["benchmark"], seed)
            link.problems += _source(link.path, report, chain.follow(folder))
    return chain.links.setdefault(key, link)


def _source(path: Path, report: Mapping[str, Any], answers: Link) -> Iterator[str]:
    if answers.manifest is None:
        return  # its own link says so
    found = hash_file(answers.path / MANIFEST_NAME)
    if found != report.get("predictions"):
        yield (
            f"{path}: the score of answers {str(report.get('predictions'))[:12]}, but "
            f"{answers.path / MANIFEST_NAME} is {found[:12]}; {AGAIN}"
        )
