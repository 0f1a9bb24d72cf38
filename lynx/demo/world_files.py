"""What every rendered world writes besides its media: JSON files and a README."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lynx.demo.world.settings import WorldSettings

_README = """# Demo world of {name}

Synthetic data: every picture, sound and sentence here was computed by `{module}`; nothing was
filmed or recorded. Licence: CC0 1.0, no rights reserved.

{about}
Settings of this world:

```json
{settings}
```
"""


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file and the folders that lead to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def write_readme(target: Path, module: str, about: str, settings: WorldSettings) -> None:
    """Say what is in a world's folder (`about`, Markdown) and what decided it."""
    shown = json.dumps(settings.model_dump(), indent=2)
    name = module.rpartition(".")[2]
    text = _README.format(name=name, module=module, about=about, settings=shown)
    (target / "README.md").write_text(text, encoding="utf-8")
