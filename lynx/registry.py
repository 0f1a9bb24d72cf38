"""Things by exact name, and the modules of a package that bring one each."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from lynx.errors import InputError

Item = TypeVar("Item")


class Registry(Generic[Item]):
    """Items of one kind by name; `remedy` ends the sentence about a name that is not there."""

    def __init__(self, kind: str, remedy: str) -> None:
        self._kind = kind
        self._remedy = remedy
        self._items: dict[str, Item] = {}

    def register(self, name: str, item: Item) -> None:
        """Add an item under a name.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._items:
            raise ValueError(f"{self._kind} {name!r} is already registered; names are unique")
        self._items[name] = item

    def get(self, name: str) -> Item:
        """Look an item up by its exact name.

        Raises:
            InputError: there is none of that name.
        """
        if name not in self._items:
            raise InputError(
                f"{self._kind}: found {name!r}, expected one of {', '.join(self.names())}; "
                f"{self._remedy}"
            )
        return self._items[name]

    def names(self) -> tuple[str, ...]:
        """Registered names in alphabetical order."""
        return tuple(sorted(self._items))


def exported(package: str, attribute: str) -> Iterator[Any]:
    """What the modules of a package hold under a name, module by module; those without are passed.

    A module `stage` is left alone: it wires the others into a run, and imports what they do not.
    """
    folders = importlib.import_module(package).__path__
    for name in sorted(module.name for module in pkgutil.iter_modules(folders)):
        if name != "stage":
            found = getattr(importlib.import_module(f"{package}.{name}"), attribute, None)
            if found is not None:
                yield found
