"""The plug-in for lmms-eval, and its tasks on local folders (docs/lmms_eval.md)."""
