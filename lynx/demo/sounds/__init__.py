"""A small world of sounds: rooms that are filmed while noises are heard that nobody sees."""

from lynx.demo.sounds.export import export_sounds

__all__ = ["export_sounds"]
