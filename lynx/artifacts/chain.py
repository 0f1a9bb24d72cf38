"""An artefact and all that it was made from, each once, down to the raw inventory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass, field
from pathlib import Path

from lynx.artifacts.differences import not_finite
from lynx.artifacts.manifest import (
    MANIFEST_NAME,
    Manifest,
    ParentEntry,
    named,
    read_manifest,
    stands_alone,
)
from lynx.artifacts.verify import (
    RAW_STAGES,
    file_problems,
    manifest_problems,
    other_parent,
    version_problems,
)
from lynx.errors import InputError

WORLD_STAGE = "world"
"""Renders raw data, which then need no licence."""


@dataclass
class Link:
    """One artefact or result of a chain, what is wrong with it, and what could not be compared.

    `held` is what can be said of it if nothing is wrong. `rendered` is what comes from a rendered
    world; an `inventory` is the manifest of raw data that are not here.
    """

    path: Path
    stage: str
    manifest: Manifest | None = None
    held: str = "unchanged"
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rendered: bool = False
    inventory: bool = False


Compare = Callable[[Path, Manifest, Link], None]
"""Adds to a link what the configuration says about its artefact, given its path below the root."""


@dataclass
class Chain:
    """The links found so far below one project's root, parents before children."""

    root: Path
    deep: bool
    compare: Compare
    links: dict[Path, Link] = field(default_factory=dict)
    _children: list[Path] = field(default_factory=list)

    def follow(self, folder: Path) -> Link:
        """Check an artefact (its folder, below the root) and, before it, all it was made from."""
        key = Path(os.path.normpath(folder))
        if key in self.links:
            return self.links[key]
        try:
            manifest = read_manifest(self.root / key)
        except InputError as error:
            link = Link(self.root / key, "absent", problems=[str(error)])
        else:
            self._children.append(key)
            parents = [self._parent(key, entry) for entry in manifest.parents]
            self._children.pop()
            link = self._check(key, manifest, rendered=self._rendered(manifest))
            link.problems += [problem for problem in parents if problem]
        return self.links.setdefault(key, link)

    def _parent(self, child: Path, entry: ParentEntry) -> str | None:
        """Follow a parent; the sentence, if it is not the one that the child was made from."""
        shown = self.root / child
        key = below_root(self.root, entry.path)
        if key is None:
            return (
                f"{shown / MANIFEST_NAME}: names parent {entry.path}, expected a folder relative "
                f"to the project's root; run the rule that makes {shown} again from there"
            )
        if key in self._children:
            return (
                f"{shown / MANIFEST_NAME}: names parent {entry.path}, which is made from it; the "
                "manifest was edited, so run the rule that makes it again"
            )
        parent = self.follow(key)
        found = parent.manifest
        if found is None:
            return None  # the parent's own link says so
        if (entry.identity, entry.content) == (found.identity, found.content):
            return None
        return other_parent(shown, entry, named(parent.path, found))

    def _rendered(self, manifest: Manifest) -> bool:
        """Whether an artefact comes from a rendered world; its parents were followed before."""
        return any(
            entry.stage == WORLD_STAGE or ((link := self._known(entry)) and link.rendered)
            for entry in manifest.parents
        )

    def _known(self, entry: ParentEntry) -> Link | None:
        key = below_root(self.root, entry.path)
        return None if key is None else self.links.get(key)

    def _check(self, key: Path, manifest: Manifest, *, rendered: bool) -> Link:
        folder = self.root / key
        link = Link(folder, manifest.stage, manifest, rendered=rendered)
        link.held = f"{counted(manifest.files, 'file')} as published"
        link.problems += manifest_problems(folder, manifest)
        if link.problems:  # its settings and hashes are not to be trusted
            return link
        licensed = manifest.stage in RAW_STAGES and not rendered
        if licensed and stands_alone(folder, manifest):
            link.inventory = True
            link.held = f"inventory of {counted(manifest.files, 'file')}: raw data, not here"
        else:
            link.problems += file_problems(folder, manifest, deep=self.deep)
        link.problems += unlisted_files(folder, manifest)
        if fault := not_finite(manifest.facts):
            link.problems.append(
                f"{folder / MANIFEST_NAME}: facts.{fault[0]} is {fault[1]}, expected a finite "
                "number; run its rule again"
            )
        link.problems += version_problems(folder, manifest.stage, manifest.version)
        self.compare(key, manifest, link)
        return link


def counted(things: Sized, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"


def below_root(root: Path, path: str) -> Path | None:
    """A parent's path relative to the root, from which it is given; None for one outside."""
    top = os.path.abspath(root)
    found = Path(os.path.relpath(os.path.join(top, path), top))
    return None if found.parts[:1] == ("..",) else found


def unlisted_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """A sentence for each file that nothing vouches for; hidden ones are the file system's."""
    listed = {entry.path for entry in manifest.files} | {MANIFEST_NAME}
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and path.relative_to(folder).as_posix() not in listed:
                yield f"{path}: not among the files of its manifest; remove it"
