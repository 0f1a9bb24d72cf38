"""YAML files to plain mappings; duplicate keys, other shapes and bad syntax become a sentence."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from lynx.errors import InputError

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it was built in
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+\Z")


class _Loader(_BASE):  # type: ignore[misc]
    """Safe loader that refuses duplicate and non-text keys and reads `2e-5` as a number.

    YAML 1.1 wants a dot in a float, so PyYAML alone reads `2e-5` as text.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    problem=f"key {key_node.value} is not text, put it in quotes",
                    problem_mark=key_node.start_mark,
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"key '{key}' stands twice in one mapping, keep one of them",
                    problem_mark=key_node.start_mark,
                )
            seen.add(key)
        merged: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return merged


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+0123456789"))


def parse_yaml(text: str, name: str) -> object:
    """The value that a YAML text stands for; `name` is what an error calls the text.

    Raises `InputError` with the line for a syntax error, a duplicate key or a key that is not text.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # A value of the command line has no lines to count.
        line = f", line {mark.line + 1}" if mark is not None and "\n" in text else ""
        raise InputError(f"{name}{line}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{name}: not readable as YAML ({reason})") from None


def names_in(root: Path, folder: str) -> list[str]:
    """The names that files of `config/<folder>` bring: scales, benchmarks, recipes."""
    return sorted(path.stem for path in (root / "config" / folder).glob("*.yaml"))


def read_mapping(root: Path, name: Path | str) -> dict[str, Any]:
    """The mapping in the YAML file `root / name`.

    Raises `InputError` if the file is missing, is not UTF-8 or YAML, or holds no mapping.
    """
    try:
        text = (root / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{name}: no such file; expected a YAML file there") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{name}: not readable as a UTF-8 text file ({error})") from None
    value = parse_yaml(text, str(name))
    if not isinstance(value, dict):
        found = "nothing" if value is None else f"a {type(value).__name__}"
        raise InputError(f"{name}: holds {found}, expected a mapping of keys to values")
    return value


def deep_merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`: mappings merge key by key, anything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        held = merged.get(key)
        if isinstance(held, dict) and isinstance(value, dict):
            value = deep_merge(held, value)
        merged[key] = value
    return merged
