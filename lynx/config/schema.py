"""JSON Schemas of the configuration files, generated from the models into `config/schema/`.

A recipe file holds each section in pieces (`lynx.config.recipes`), so its schema is derived: the
model of a section without `required`, below any name and any scale. That a resolved recipe is
complete is checked when it is loaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from lynx.config.files import BenchmarkConfig, MainConfig, ScaleConfig, SiteConfig, VariantConfig
from lynx.config.published import Published
from lynx.config.recipes import RecipeFile
from lynx.config.stages import Recipe

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path("config/schema")


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> JSON Schema."""
    models: dict[str, TypeAdapter[Any]] = {
        "config": TypeAdapter(MainConfig),
        "scale": TypeAdapter(ScaleConfig),
        "variants": TypeAdapter(dict[str, VariantConfig]),
        "benchmark": TypeAdapter(BenchmarkConfig),
        "site": TypeAdapter(SiteConfig),
        "published": TypeAdapter(Published),
    }
    found = {name: adapter.json_schema() for name, adapter in models.items()}
    found["recipe"] = _recipe_schema()
    return {f"{name}.json": {"$schema": DIALECT, **schema} for name, schema in found.items()}


def write_schemas(folder: Path = FOLDER) -> None:
    """Write every schema, replacing what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(_text(schema), encoding="utf-8")


def check_schemas(folder: Path = FOLDER) -> list[str]:
    """One sentence per file that is not what the models say; empty if all are."""
    wanted = schemas()
    there = {path.name for path in folder.glob("*.json")}
    faults = [f"{folder / name}: belongs to no model; remove it" for name in there - set(wanted)]
    for name, schema in wanted.items():
        path = folder / name
        if name not in there:
            faults.append(f"{path}: missing; write it with python -m lynx.config.schema")
        elif path.read_text(encoding="utf-8") != _text(schema):
            faults.append(
                f"{path}: differs from the models; write it anew with python -m lynx.config.schema"
            )
    return sorted(faults)


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _recipe_schema() -> dict[str, Any]:
    full = TypeAdapter(Recipe).json_schema()
    for definition in full["$defs"].values():
        definition.pop("required", None)

    def below_any_name(schema: dict[str, Any]) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": schema}

    sections = {
        name: below_any_name(below_any_name(schema)) for name, schema in full["properties"].items()
    }
    return {
        "title": RecipeFile.__name__,
        "description": (RecipeFile.__doc__ or "").strip(),
        "type": "object",
        "additionalProperties": False,
        "required": list(RecipeFile.model_fields),
        "properties": sections,
        "$defs": full["$defs"],
    }


if __name__ == "__main__":
    write_schemas()
