"""Rendering by ray casting: RGB, z-depth and label images of a scene, all in vectorised numpy.

Rays are cast in base units and depth is multiplied by `Scene.scale` at the end: a pinhole image
does not change when room, objects and camera translations grow together, and here not even its last
bit does. An open door and a window are painted where a closed door and a picture would be; only the
depth of those pixels is traced on to what lies behind.

Legend: H, W image size; R rays (H * W). A ray is `origin + t * direction`, where the direction has
camera z = 1, so that t is z-depth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lynx.demo.world.camera import Camera, intrinsics
from lynx.demo.world.furniture import CATEGORIES, SHAPES, Part
from lynx.demo.world.palette import CEILING, COLOURS, DOOR, PALETTE, PANEL, PANEL_FRAME
from lynx.demo.world.scene import Furniture, Rectangle, Room, Scene

Floats = NDArray[np.float64]

CORRIDOR_END = 1.8  # y of the corridor's end behind an open door, in units of the back wall's y
CORRIDOR_MARGIN = 0.35  # how far the corridor is wider than the door, on each side, base units
WINDOW_VIEW = 2.5  # y of what is seen through a window, in units of the back wall's y
FRAME_WIDTH = 0.07
SURFACES = ("floor", "wall", "door")

# Brightness of a box's faces by local axis: sides, front and back, top and bottom.
FACE_BRIGHTNESS = np.array([0.74, 0.88, 1.0])
SIDE_WALL_BRIGHTNESS = 0.84
TEXTURE = np.random.default_rng(0).uniform(-6, 6, (64, 64))  # grey levels
TEXELS_PER_UNIT = 12


@dataclass(frozen=True)
class Rendering:
    """One frame: color uint8 (H, W, 3); depth uint16 (H, W), millimetres along the camera's z axis.

    category int8 (H, W): 0 background, k the k-th of `CATEGORIES` counted from 1.
    object_color int8 (H, W): 0 background, k the k-th of `COLOURS` counted from 1.
    surface int8 (H, W): 0 anything else, k the k-th of `SURFACES` counted from 1.
    """

    color: NDArray[np.uint8]
    depth: NDArray[np.uint16]
    category: NDArray[np.int8]
    object_color: NDArray[np.int8]
    surface: NDArray[np.int8]


@dataclass
class _Canvas:
    """What the rays have met so far: t (R,), colour (R, 3), labels (R,)."""

    t: Floats
    colour: Floats
    category: NDArray[np.int8]
    object_color: NDArray[np.int8]
    surface: NDArray[np.int8]


def render_frame(scene: Scene, camera: Camera, width: int, height: int) -> Rendering:
    """Render one frame of `width` x `height` pixels, one ray through each pixel's centre."""
    matrix = intrinsics(width, height)
    origin, rotation = np.array(camera.position), camera.rotation
    directions = _directions(matrix, rotation, width, height)
    canvas, behind = _draw_room(scene, origin, directions)
    wall_t = canvas.t.copy()
    for piece in scene.objects:
        _draw_furniture(canvas, piece, origin, rotation, directions, matrix, (height, width))
    depth = np.where(canvas.t < wall_t, canvas.t, behind)
    millimetres = np.rint(1000 * scene.scale * depth)
    return Rendering(
        color=np.clip(np.rint(canvas.colour), 0, 255).astype(np.uint8).reshape(height, width, 3),
        depth=millimetres.astype(np.uint16).reshape(height, width),
        category=canvas.category.reshape(height, width),
        object_color=canvas.object_color.reshape(height, width),
        surface=canvas.surface.reshape(height, width),
    )


def _directions(matrix: Floats, rotation: Floats, width: int, height: int) -> Floats:
    """World directions (R, 3) of the pixels in row-major order, camera z = 1."""
    x = (np.arange(width) - matrix[0, 2]) / matrix[0, 0]
    y = (np.arange(height) - matrix[1, 2]) / matrix[1, 1]
    camera = np.stack([*np.broadcast_arrays(x[None, :], y[:, None], 1.0)], axis=-1).reshape(-1, 3)
    directions: Floats = camera @ rotation.T
    return directions


def _texture(u: Floats, v: Floats) -> Floats:
    rows = np.floor(u * TEXELS_PER_UNIT).astype(np.int64) % TEXTURE.shape[0]
    columns = np.floor(v * TEXELS_PER_UNIT).astype(np.int64) % TEXTURE.shape[1]
    texels: Floats = TEXTURE[rows, columns]
    return texels


def _leave_box(
    origin: Floats, directions: Floats, low: Floats, high: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    """For rays that pass a box's inside: t (R,) at which they leave it, and by which axis (R,)."""
    with np.errstate(divide="ignore"):
        exits = (np.where(directions > 0, high, low) - origin) / directions
    exits = np.where(directions == 0, np.inf, exits)
    return _least(exits), exits.argmin(axis=1)


def _least(values: Floats) -> Floats:
    """The least of each row (R, 3); numpy's own `min` takes a call for each row."""
    least: Floats = np.minimum(np.minimum(values[:, 0], values[:, 1]), values[:, 2])
    return least


def _greatest(values: Floats) -> Floats:
    greatest: Floats = np.maximum(np.maximum(values[:, 0], values[:, 1]), values[:, 2])
    return greatest


def _draw_room(scene: Scene, origin: Floats, directions: Floats) -> tuple[_Canvas, Floats]:
    """The empty room, and `behind` (R,): t of what the depth camera sees where the room is seen."""
    room = scene.room
    low = np.array([-room.half_width, room.front, 0.0])
    high = np.array([room.half_width, room.back, room.height])
    t, axis = _leave_box(origin, directions, low, high)
    hit = origin + t[:, None] * directions
    upward = directions[:, 2] > 0
    colour = np.empty((len(t), 3))
    colour[:] = PALETTE[room.wall_colour]
    colour[axis == 0] *= SIDE_WALL_BRIGHTNESS
    surface = np.full(len(t), 1 + SURFACES.index("wall"), np.int8)
    on_floor, on_ceiling = (axis == 2) & ~upward, (axis == 2) & upward
    colour[on_floor], colour[on_ceiling] = PALETTE[room.floor_colour], CEILING
    surface[on_floor], surface[on_ceiling] = 1 + SURFACES.index("floor"), 0
    behind = t.copy()
    on_back = (axis == 1) & (directions[:, 1] > 0)
    if scene.panel is not None:
        frame, inside = _on_panel(scene.panel, hit, on_back)
        colour[frame], colour[inside] = PANEL_FRAME, PANEL
        surface[frame | inside] = 0
        if scene.hidden.panel_is_window:
            behind[inside] = (WINDOW_VIEW * room.back - origin[1]) / directions[inside, 1]
    if scene.door is not None:
        inside = on_back & _within(scene.door, hit, 0.0)
        colour[inside] = DOOR
        surface[inside] = 1 + SURFACES.index("door")
        if scene.hidden.door_open:
            behind[inside] = _corridor(scene.door, room, origin, directions[inside])
    u, v = np.where(axis == 0, hit[:, 1], hit[:, 0]), np.where(axis == 2, hit[:, 1], hit[:, 2])
    colour += _texture(u, v)[:, None]
    labels = np.zeros(len(t), np.int8)
    return _Canvas(t, colour, labels, labels.copy(), surface), behind


def _within(area: Rectangle, hit: Floats, margin: float) -> NDArray[np.bool_]:
    x, z = hit[:, 0], hit[:, 2]
    return (
        (x > area.left - margin)
        & (x < area.right + margin)
        & (z > area.low - margin)
        & (z < area.high + margin)
    )


def _on_panel(
    panel: Rectangle, hit: Floats, on_back: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    inside = on_back & _within(panel, hit, 0.0)
    return on_back & _within(panel, hit, FRAME_WIDTH) & ~inside, inside


def _corridor(door: Rectangle, room: Room, origin: Floats, directions: Floats) -> Floats:
    """t (R,) at which rays through the open door meet the corridor's floor, sides, top or end."""
    low = np.array([door.left - CORRIDOR_MARGIN, room.front, 0.0])
    high = np.array([door.right + CORRIDOR_MARGIN, CORRIDOR_END * room.back, room.height])
    # The camera may stand beside the corridor's line, but the rays are inside it from the door on.
    return _leave_box(origin, directions, low, high)[0]


def _draw_furniture(
    canvas: _Canvas,
    piece: Furniture,
    origin: Floats,
    rotation: Floats,
    directions: Floats,
    matrix: Floats,
    shape: tuple[int, int],
) -> None:
    """Draw a piece's boxes in its own frame, where they are aligned with the axes."""
    cos, sin = math.cos(piece.yaw), math.sin(piece.yaw)
    to_world = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    place = np.array([piece.x, piece.y, 0.0])
    local_origin = (origin - place) @ to_world
    local_directions = directions @ to_world
    # Local frame of the piece -> camera frame, for the rectangle of pixels that a box can cover.
    to_camera = rotation.T @ to_world
    offset = rotation.T @ (place - origin)
    for part in SHAPES[piece.category].parts:
        half = 0.5 * piece.size * np.array(part.size)
        centre = piece.size * np.array(part.centre)
        corners = (centre + _CORNERS * half) @ to_camera.T + offset
        pixels = _covered(corners, matrix, shape)
        if pixels.size:
            _draw_part(canvas, piece, part, pixels, local_origin - centre, local_directions, half)


_CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)


def _covered(corners: Floats, matrix: Floats, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Row-major indices of the pixels in the box's bounding rectangle; all if it is behind us."""
    height, width = shape
    if corners[:, 2].min() <= 0.05:
        return np.arange(height * width)
    u = matrix[0, 0] * corners[:, 0] / corners[:, 2] + matrix[0, 2]
    v = matrix[1, 1] * corners[:, 1] / corners[:, 2] + matrix[1, 2]
    columns = np.arange(max(0, math.floor(u.min())), min(width - 1, math.ceil(u.max())) + 1)
    rows = np.arange(max(0, math.floor(v.min())), min(height - 1, math.ceil(v.max())) + 1)
    return (rows[:, None] * width + columns[None, :]).ravel()


def _draw_part(
    canvas: _Canvas,
    piece: Furniture,
    part: Part,
    pixels: NDArray[np.int64],
    origin: Floats,
    directions: Floats,
    half: Floats,
) -> None:
    """Slab test of the rays `pixels` against one box centred at 0 with half sizes `half`."""
    direction = directions[pixels]
    with np.errstate(divide="ignore"):
        inverse = 1.0 / direction
    first = (-half - origin) * inverse
    second = (half - origin) * inverse
    entries = np.minimum(first, second)
    near, far = _greatest(entries), _least(np.maximum(first, second))
    met = (near < far) & (near > 0) & (near < canvas.t[pixels])
    if not met.any():
        return
    rays, t, axis = pixels[met], near[met], entries[met].argmax(axis=1)
    hit = origin + t[:, None] * direction[met]
    u, v = np.where(axis == 0, hit[:, 1], hit[:, 0]), np.where(axis == 2, hit[:, 1], hit[:, 2])
    paint = np.array(part.paint or PALETTE[piece.colour], dtype=float)
    shade = part.brightness * FACE_BRIGHTNESS[axis]
    canvas.t[rays] = t
    canvas.colour[rays] = paint * shade[:, None] + _texture(u, v)[:, None]
    canvas.category[rays] = CATEGORIES.index(piece.category) + 1
    canvas.object_color[rays] = COLOURS.index(piece.colour) + 1
    canvas.surface[rays] = 0
