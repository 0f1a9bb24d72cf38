"""Colours of the demo world: names that questions use and the 8-bit RGB values that are painted."""

from __future__ import annotations

from collections.abc import Mapping

RGB = tuple[int, int, int]

# The colours a floor, a wall or a piece of furniture can have. They stay apart after the darkest
# face brightness, JPEG and a resize to 56 x 56; brown, white and light blue are kept out of the
# list because the door, the ceiling and the wall panel own them.
PALETTE: Mapping[str, RGB] = {
    "red": (208, 32, 38),
    "orange": (248, 128, 16),
    "yellow": (246, 220, 48),
    "green": (36, 150, 56),
    "blue": (32, 62, 196),
    "purple": (122, 44, 160),
    "pink": (250, 150, 196),
    "gray": (126, 128, 130),
}
COLOURS: tuple[str, ...] = tuple(PALETTE)

CEILING: RGB = (240, 238, 230)
DOOR: RGB = (58, 36, 22)
PANEL: RGB = (168, 214, 244)
PANEL_FRAME: RGB = (250, 250, 248)
PILLOW: RGB = (244, 244, 240)
