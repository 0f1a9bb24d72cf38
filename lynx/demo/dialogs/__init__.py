"""A small world of dialogs about rooms that are seen and noises that are heard."""

from lynx.demo.dialogs.export import export_dialogs

__all__ = ["export_dialogs"]
