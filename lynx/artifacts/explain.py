"""Why two artefacts differ: both chains walked side by side to the first stages that part them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lynx.artifacts.differences import ABSENT, Difference, differences, shown
from lynx.artifacts.manifest import Manifest, ParentEntry, named, read_manifest
from lynx.artifacts.verify import manifest_problems
from lynx.errors import InputError

Kind = Literal["version", "seed", "setting", "parent", "file", "environment", "recorded"]
DIGITS = 12


@dataclass(frozen=True)
class Node:
    """An artefact as its child recorded it, with its manifest or the reason why there is none."""

    root: Path
    entry: ParentEntry
    manifest: Manifest | None
    lost: str | None = None
    notes: tuple[str, ...] = ()
    known_parents: tuple[Node, ...] | None = None

    @property
    def path(self) -> Path:
        """Where it lies, as a user would type it."""
        return self.root / self.entry.path

    @property
    def parents(self) -> tuple[Node, ...]:
        """What it was made from: as its manifest says, unless they were given."""
        if self.known_parents is not None or self.manifest is None:
            return self.known_parents or ()
        return tuple(recorded(self.root, entry) for entry in self.manifest.parents)


def opened(root: Path, folder: Path) -> Node:
    """The artefact in a folder below the root; InputError if there is none."""
    manifest = read_manifest(root / folder)
    notes = tuple(manifest_problems(root / folder, manifest))
    return Node(root, named(folder, manifest), manifest, notes=notes)


def recorded(root: Path, entry: ParentEntry) -> Node:
    """A parent, with its manifest if that still is the one that the child was made from."""
    try:
        found = opened(root, Path(entry.path))
    except InputError:
        return Node(root, entry, None, "is not there any more")
    if (found.entry.identity, found.entry.content) != (entry.identity, entry.content):
        return Node(root, entry, None, "was made anew since")
    return found


@dataclass(frozen=True)
class Finding:
    """One thing in which two artefacts of a stage differ."""

    kind: Kind
    difference: Difference


@dataclass(frozen=True)
class Part:
    """A stage at which two chains part; `first` if all that it was made from is equal."""

    stage: str
    a: Path
    b: Path
    first: bool
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()


@dataclass
class Walk:
    """Both chains, each pair of artefacts looked at once; parts stand parents first.

    A seed or key that parts several stages is told where it does so first: a run has one seed, and
    the slice of a later stage repeats that of training.
    """

    parts: list[Part] = field(default_factory=list)
    _seen: dict[tuple[Path, Path], bool] = field(default_factory=dict)

    def differ(self, a: Node, b: Node) -> bool:
        """Whether two artefacts differ in what decided them or in their files."""
        key = (a.path, b.path)
        if key not in self._seen:
            self._seen[key] = self._differ(a, b)
        return self._seen[key]

    def _differ(self, a: Node, b: Node) -> bool:
        if (a.entry.identity, a.entry.content) == (b.entry.identity, b.entry.content):
            return False
        if a.manifest is None or b.manifest is None:
            self.parts.append(_ended(a, b))
            return True
        pairs, lonely = matched(a, b)
        below = [self.differ(one, two) for one, two in pairs]  # all of them, so no generator
        first = not any(below)
        findings, notes = [*decisions(a.manifest, b.manifest), *lonely], [*a.notes, *b.notes]
        if not first:
            findings = [each for each in findings if not self._told(each)]
        if first and not findings:
            findings = list(outcomes(a.manifest, b.manifest))
            if not notes and all(found.kind == "file" for found in findings):
                notes.append(UNEXPLAINED)
        if findings or notes:
            part = Part(b.entry.stage, a.path, b.path, first, tuple(findings), tuple(notes))
            self.parts.append(part)
        return True

    def _told(self, found: Finding) -> bool:
        """Whether an earlier part named the same change of the same key."""
        key, change = found.difference.key, (found.difference.old, found.difference.new)
        return any(
            found.kind == each.kind
            and change == (each.difference.old, each.difference.new)
            and f".{key}".endswith(f".{each.difference.key}")
            for part in self.parts
            for each in part.findings
        )


UNEXPLAINED = (
    "nothing recorded explains it: the raw files that the stage reads changed, or it does not "
    "repeat bit for bit"
)


def _ended(a: Node, b: Node) -> Part:
    """What the children recorded of two artefacts, one of which cannot be read any more."""
    name = "identity" if a.entry.content == b.entry.content else "content"
    old, new = (getattr(node.entry, name)[:DIGITS] for node in (a, b))
    notes = dict.fromkeys(
        f"{node.path} {node.lost}, so what it was made from is not known"
        for node in (a, b)
        if node.lost is not None
    )
    finding = Finding("recorded", Difference(name, old, new))
    return Part(b.entry.stage, a.path, b.path, True, (finding,), tuple(notes))


def decisions(a: Manifest, b: Manifest) -> Iterator[Finding]:
    """Where what decided two artefacts differs, but for their parents."""
    if a.stage != b.stage:
        yield Finding("setting", Difference("stage", a.stage, b.stage))
    if a.version != b.version:
        yield Finding("version", Difference("stage version", shown(a.version), shown(b.version)))
    if a.seed != b.seed:
        yield Finding("seed", Difference("seed", shown(a.seed), shown(b.seed)))
    for found in differences(a.settings, b.settings):
        repeated = f".{found.key}".endswith(".seed") and found.old == shown(a.seed)
        if not (repeated and found.new == shown(b.seed)):
            yield Finding("setting", found)


def outcomes(a: Manifest, b: Manifest) -> Iterator[Finding]:
    """Files that came out differently under equal decisions, and what was different around them."""
    old = {entry.path: entry.sha256[:DIGITS] for entry in a.files}
    new = {entry.path: entry.sha256[:DIGITS] for entry in b.files}
    for path in dict.fromkeys([*old, *new]):
        found = Difference(path, old.get(path, ABSENT), new.get(path, ABSENT))
        if found.old != found.new:
            yield Finding("file", found)
    for found in differences(a.environment, b.environment):
        yield Finding("environment", found)


def matched(a: Node, b: Node) -> tuple[list[tuple[Node, Node]], list[Finding]]:
    """Parents of both that play the same part, and those that only one of them has.

    Folders that differ in scale and seed alone belong together; of the rest, those of one stage in
    their order.
    """
    left, right = list(a.parents), list(b.parents)
    pairs: list[tuple[Node, Node]] = []
    for alike in (_role, _stage):
        for one in tuple(left):
            other = next((node for node in right if alike(node) == alike(one)), None)
            if other is not None:
                pairs.append((one, other))
                left.remove(one)
                right.remove(other)
    lonely = [
        *(Finding("parent", Difference(node.entry.path, "a parent", ABSENT)) for node in left),
        *(Finding("parent", Difference(node.entry.path, ABSENT, "a parent")) for node in right),
    ]
    return pairs, lonely


def _role(node: Node) -> str:
    return re.sub(r"^runs/[^/]+/|/seed\d+$", "", node.entry.path)


def _stage(node: Node) -> str:
    return node.entry.stage
