"""What lmms-eval's registry is told: `--model lynx` is the chat model of this package.

pyproject.toml names `MANIFEST` under the entry points `lmms_eval.models`.
"""

from __future__ import annotations

from lmms_eval.models.registry_v2 import ModelManifest

MANIFEST = ModelManifest(model_id="lynx", chat_class_path="lynx.evaluate.lmms.model.LynxModel")
