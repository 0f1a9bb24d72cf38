"""Parquet tables as rows, where a library that reads them is installed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lynx.errors import InputError


def read_parquet(path: Path, instead: str) -> list[dict[str, Any]]:
    """The rows of a table as JSON types; ``instead`` is the JSON file that would be read as well.

    Raises:
        InputError: it is no Parquet, or nothing is installed that reads it.
    """
    import pandas as pd  # slow to import, and most jobs read no such table

    try:
        table = pd.read_parquet(path)
    except ImportError as error:
        raise InputError(
            f"{path}: found no library that reads Parquet, expected pyarrow; install it "
            "(pip install pyarrow), or write the rows with `pandas.read_parquet(...).to_json(..., "
            f"orient='records')` on a machine that has it as {instead}"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: not readable as Parquet ({' '.join(str(error).split())}), expected the table "
            "as published; get the file again"
        ) from error
    rows = table.to_dict(orient="records")
    return [{str(key): _plain(value) for key, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    """Cells with lists come as arrays, empty ones as NaN."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.tolist() if hasattr(value, "tolist") else value
