"""Plain data into the models; what pydantic objects to becomes one sentence."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from lynx.errors import InputError

T = TypeVar("T")
KeyPath = tuple[str | int, ...]
Locate = Callable[[KeyPath], tuple[str, str]]
"""From a path inside the data to the file and the dotted key where a user finds it."""


def in_file(name: str) -> Locate:
    """For data that was read from one file as it stands there."""
    return lambda path: (name, dotted(path))


def dotted(path: Iterable[str | int]) -> str:
    """A path as a user writes it: `sft.lora.rank`."""
    return ".".join(str(part) for part in path)


def validate(adapter: TypeAdapter[T], data: object, locate: Locate) -> T:
    """Check `data` against the model; numbers, text and truth values are never converted.

    Raises `InputError` about the first fault: file, dotted key, what was found, what was expected.
    """
    try:
        # JSON mode is strict about scalars yet takes a list for a tuple and text for a path.
        return adapter.validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        raise InputError(_sentence(adapter, error, locate)) from None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is probably a slip of."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return close[0] if close else None


def unknown_name(where: str, kind: str, word: str, known: Iterable[str]) -> InputError:
    """The error for a name (scale, benchmark, variant, recipe) that does not exist."""
    names = sorted(known)
    guess = did_you_mean(word, names)
    hint = f", did you mean '{guess}'" if guess else ""
    listed = ", ".join(names) if names else "none"
    return InputError(f"{where}: unknown {kind} '{word}'{hint}; known: {listed}")


def unknown_key(where: str, key: str, known: Iterable[str]) -> str:
    """The sentence about a key that does not exist: the likely one, or all that do."""
    names = sorted(known)
    guess = did_you_mean(key.rsplit(".", 1)[-1], names)
    hint = f"did you mean '{guess}'?" if guess else f"known keys are {', '.join(names)}"
    return f"{where}: unknown key '{key}'; {hint}"


def _sentence(adapter: TypeAdapter[Any], error: ValidationError, locate: Locate) -> str:
    faults = error.errors(include_url=False)
    # A mistyped key is both unknown and missing; the unknown one tells more.
    first = min(faults, key=lambda fault: fault["type"] != "extra_forbidden")
    path: KeyPath = tuple(first["loc"])
    schema = adapter.json_schema()
    name, key = locate(_without_tags(schema, path))
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        union = _walk(schema, path)["discriminator"]
        tag, known = f"{key}.{union['propertyName']}", "one of " + ", ".join(union["mapping"])
        found = first["ctx"].get("tag")
        fault = "is missing;" if found is None else f"is '{found}',"
        text = f"{name}: key '{tag}' {fault} expected {known}"
    elif first["type"] == "extra_forbidden":
        known = _not_null(schema, _walk(schema, path[:-1])).get("properties", {})
        text = unknown_key(name, key, known)
    elif first["type"] == "missing":
        text = f"{name}: key '{key}' is missing; expected {describe(schema, path)}"
    elif first["type"] == "value_error":
        at = f"at '{key}', " if key else ""
        text = f"{name}: {at}{first['ctx']['error']}"
    else:
        found = _show(first["input"])
        text = f"{name}: key '{key}' is {found}, expected {describe(schema, path)}"
    more = len(faults) - 1
    return text if not more else f"{text} (and {more} more fault{'s' if more > 1 else ''})"


def _show(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, str):
        return f"'{value}'"
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def describe(schema: dict[str, Any], path: KeyPath) -> str:
    """What the JSON schema expects at `path`, in words."""
    return _words(schema, _walk(schema, path))


def _words(root: dict[str, Any], node: dict[str, Any]) -> str:
    if "oneOf" in node:  # a choice between models
        return "a mapping"
    if "anyOf" in node:
        return " or ".join(_words(root, _resolve(root, branch)) for branch in node["anyOf"])
    if "enum" in node or "const" in node:
        return "one of " + ", ".join(map(str, node.get("enum", [node.get("const")])))
    kind = node.get("type")
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _bounds(node)
    if kind == "array":
        least, most = node.get("minItems", 0), node.get("maxItems")
        if least == most:
            return f"a list of {least} values"
        return f"a list of at least {least}" if least else "a list"
    plain = {"string": "text", "boolean": "true or false", "object": "a mapping", "null": "null"}
    return plain.get(str(kind), "a value")


def _bounds(node: dict[str, Any]) -> str:
    words = {
        "exclusiveMinimum": "above",
        "minimum": "of at least",
        "exclusiveMaximum": "below",
        "maximum": "of at most",
    }
    parts = [f"{word} {node[key]:g}" for key, word in words.items() if key in node]
    return " " + " and ".join(parts) if parts else ""


def _resolve(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def _not_null(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Of `X | None` the node of X, whose keys a path goes on with."""
    branches = [item for item in node.get("anyOf", []) if item.get("type") != "null"]
    return _resolve(root, branches[0]) if branches else node


def _tags(node: dict[str, Any]) -> dict[str, str]:
    """Of a choice between models: the reference of each by the value that chooses it."""
    found: dict[str, str] = node.get("discriminator", {}).get("mapping", {})
    return found


def _without_tags(root: dict[str, Any], path: KeyPath) -> KeyPath:
    """A path as the file has it: pydantic also names which model of a choice it was in."""
    nodes = [_walk(root, path[:index]) for index in range(len(path))]
    return tuple(part for part, node in zip(path, nodes, strict=True) if part not in _tags(node))


def _walk(root: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    """The schema node at `path`; an empty node where the schema says nothing."""
    node = _resolve(root, root)
    for part in path:
        node = _not_null(root, node)
        if part in _tags(node):
            step = {"$ref": _tags(node)[str(part)]}
        elif isinstance(part, int):
            fixed = node.get("prefixItems", [])
            step = fixed[part] if part < len(fixed) else node.get("items", {})
        else:
            step = node.get("properties", {}).get(part, node.get("additionalProperties", {}))
        node = _resolve(root, step) if isinstance(step, dict) else {}
    return node
