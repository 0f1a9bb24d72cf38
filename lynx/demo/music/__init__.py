"""A small world of music: rooms that are filmed while instruments play that nobody sees."""

from lynx.demo.music.export import export_music

__all__ = ["export_music"]
