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
from lynx.errors import InputError

DIALECT = "https://json-schema.org/draft/2020-12/schema"


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


def write_schemas(folder: Path) -> None:
    """Write every schema, replacing what is there; InputError if a file is in the folder's way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(
            f"--folder {folder}: found a file in its place, expected a folder or nothing; name "
            "another folder for the schemas"
        ) from None
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=2, sort_keys=True) + "\n"
        (folder / name).write_text(text, encoding="utf-8")


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
