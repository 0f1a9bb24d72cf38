"""`lynx explain`: why two results differ, as text and as JSON types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lynx.artifacts.differences import Difference, brief, differences
from lynx.artifacts.explain import Finding, Node, Part, Walk, opened
from lynx.artifacts.hashing import hash_data, hash_file
from lynx.artifacts.manifest import MANIFEST_NAME, Manifest, ParentEntry, identify, named
from lynx.artifacts.sealed import edits
from lynx.config.layout import Layout
from lynx.config.roots import below, find_root
from lynx.evaluate.metrics_file import AGAIN, FILE_NAME, SCORES, read_report
from lynx.report.verification import artefact_path

ABOUT = ("benchmark", "split", "scale", "variant", "recipe", "synthetic")
SHOWN_FINDINGS = 6


@dataclass(frozen=True)
class Explanation:
    """Two results: values that differ, for scores, and the stages at which their chains part."""

    a: Path
    b: Path
    equal_content: bool
    values: tuple[Difference, ...]
    parts: tuple[Part, ...]

    @property
    def equal(self) -> bool:
        """Whether neither what they hold nor anything that they were made from differs."""
        return self.equal_content and not self.parts


def explain(
    a: Path, b: Path, root_a: Path | None = None, root_b: Path | None = None
) -> Explanation:
    """Compare two artefacts or two scores, each below its own project's root.

    Raises InputError for a path that is neither, or that cannot be read.
    """
    paths = artefact_path(a), artefact_path(b)
    roots = [
        find_root(path) if root is None else root
        for path, root in zip(paths, (root_a, root_b), strict=True)
    ]
    if paths[0].name == FILE_NAME and paths[1].name == FILE_NAME:
        reports = read_report(paths[0]), read_report(paths[1])
        old, new = ({key: report[key] for key in SCORES} for report in reports)
        values = tuple(differences(old, new))
        one, two = _scores(paths, roots, reports)
    else:
        values = ()
        one, two = (_node(path, root) for path, root in zip(paths, roots, strict=True))
    walk = Walk()
    walk.differ(one, two)
    same = one.entry.content == two.entry.content
    return Explanation(a, b, same, values, tuple(walk.parts))


def _node(path: Path, root: Path) -> Node:
    """An artefact; of a score, the predictions that it is of, to compare with an artefact."""
    if path.name != FILE_NAME:
        return opened(root, below(root, path))
    report = read_report(path)
    return opened(root, _predictions(report))


def _predictions(report: dict[str, Any]) -> Path:
    layout = Layout(Path(), report["scale"])
    return layout.predictions(report["variant"], report["benchmark"], report["seed"])


def _scores(
    paths: Sequence[Path], roots: Sequence[Path], reports: Sequence[dict[str, Any]]
) -> tuple[Node, Node]:
    """Both scores, made from their predictions, or where one has lost these, from what they name.

    So both are compared by the same things.
    """
    found = [_scored(root, report) for root, report in zip(roots, reports, strict=True)]
    parents: list[tuple[Node, ...]] = [(node,) for node in found if node is not None]
    if len(parents) < len(found):
        parents = [_named(root, report) for root, report in zip(roots, reports, strict=True)]
    one, two = map(_score, paths, roots, reports, parents)
    return one, two


def _scored(root: Path, report: dict[str, Any]) -> Node | None:
    """The predictions that a score names by the hash of their manifest, if they are there."""
    folder = _predictions(report)
    manifest = root / folder / MANIFEST_NAME
    if not manifest.is_file() or hash_file(manifest) != report.get("predictions"):
        return None
    return opened(root, folder)


def _named(root: Path, report: dict[str, Any]) -> tuple[Node, ...]:
    """Base, data and language adapter as a score names them: by their contents alone."""
    layout = Layout(Path(), report["scale"])
    variant, benchmark, seed = report["variant"], report["benchmark"], report["seed"]
    folders = {
        "base": layout.base,
        "data": layout.data(benchmark),
        "sft": layout.sft(variant, benchmark, seed),
    }
    contents = {"data": report.get("data"), **report.get("parents", {})}
    return tuple(
        Node(
            root,
            ParentEntry(
                path=folder.as_posix(),
                stage=stage,
                identity=contents[stage],
                content=contents[stage],
            ),
            None,
            "is known from the scores alone, one of which has lost its predictions",
        )
        for stage, folder in folders.items()
        if contents.get(stage) is not None
    )


def _score(path: Path, root: Path, report: dict[str, Any], parents: tuple[Node, ...]) -> Node:
    """A score as if it were an artefact of stage `score`."""
    settings: dict[str, object] = {key: report.get(key) for key in ABOUT}
    version, seed = int(report.get("stage_version", 0)), int(report["seed"])
    entries = tuple(parent.entry for parent in parents)
    manifest = Manifest(
        stage="score",
        version=version,
        settings=settings,
        seed=seed,
        parents=entries,
        identity=identify("score", version, settings, seed, entries),
        content=hash_data({key: report[key] for key in SCORES}),
        files=(),
        counts={},
        facts={},
        environment=report.get("versions", {}),
    )
    notes = tuple(edits(path, report, AGAIN))
    place = below(root, path)
    return Node(root, named(place, manifest), manifest, notes=notes, known_parents=parents)


def lines(found: Explanation) -> Iterator[str]:
    """What a terminal shows."""
    yield f"A  {found.a}"
    yield f"B  {found.b}"
    if found.equal:
        yield "A and B are equal, and so is all that they were made from."
        return
    if found.values:
        value, more = found.values[0], len(found.values) - 1
        rest = f" (and {more} more)" if more else ""
        yield f"{value.key} {value.old} -> {value.new}{rest}"
    elif found.equal_content:
        yield "What they hold is equal, what they were made from is not."
    for title, first in (("They part first at", True), ("Further on, of its own, at", False)):
        for part in found.parts:
            if part.first == first:
                yield f"{title} {part.stage}  (A {part.a}, B {part.b})"
                yield from (f"    {_sentence(each)}" for each in part.findings[:SHOWN_FINDINGS])
                if len(part.findings) > SHOWN_FINDINGS:
                    yield f"    and {len(part.findings) - SHOWN_FINDINGS} more; --json has all"
                yield from (f"    {note}" for note in part.notes)


def _sentence(found: Finding) -> str:
    change = f"{brief(found.difference.old)} -> {brief(found.difference.new)}"
    if found.kind in ("version", "seed"):
        return f"{found.difference.key} {change}"
    return f"{found.kind} {found.difference.key}: {change}"


def as_dict(found: Explanation) -> dict[str, Any]:
    """The same as JSON types, with every value and finding."""
    return {
        "a": found.a.as_posix(),
        "b": found.b.as_posix(),
        "equal": found.equal,
        "equal_content": found.equal_content,
        "values": [asdict(each) for each in found.values],
        "parts": [
            {
                "stage": part.stage,
                "first": part.first,
                "a": part.a.as_posix(),
                "b": part.b.as_posix(),
                "findings": [
                    {"kind": each.kind, **asdict(each.difference)} for each in part.findings
                ],
                "notes": list(part.notes),
            }
            for part in found.parts
        ],
    }
