"""Cameras of the demo world: pinhole intrinsics, poses and the sweep through a scene.

Camera frame, as in ScanNet: x right, y down, z forward. A pose is camera-to-world.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lynx.demo.world.scene import CameraPath, Scene

# Focal lengths as a share of the image's width and height: a fixed field of view (64 x 50 degrees),
# whatever the image size, so that an image resized to a square is a render at that square.
FOCAL_OF_WIDTH = 0.8
FOCAL_OF_HEIGHT = 0.8 * 4 / 3


@dataclass(frozen=True)
class Camera:
    """A camera: `position` in base units; yaw (to the left) and pitch (up) in radians."""

    position: tuple[float, float, float]
    yaw: float
    pitch: float

    @property
    def rotation(self) -> NDArray[np.float64]:
        """Camera-to-world rotation, shape (3, 3); its columns are the camera's x, y, z axes."""
        sin_yaw, cos_yaw = math.sin(self.yaw), math.cos(self.yaw)
        sin_pitch, cos_pitch = math.sin(self.pitch), math.cos(self.pitch)
        right = (cos_yaw, sin_yaw, 0.0)
        forward = (-sin_yaw * cos_pitch, cos_yaw * cos_pitch, sin_pitch)
        down = (-sin_yaw * sin_pitch, cos_yaw * sin_pitch, -cos_pitch)
        return np.array([right, down, forward]).T


def intrinsics(width: int, height: int) -> NDArray[np.float64]:
    """The 4x4 calibration matrix in pixels; as in ScanNet, (2 cx + 1, 2 cy + 1) is the size."""
    matrix = np.eye(4)
    matrix[0, 0], matrix[1, 1] = FOCAL_OF_WIDTH * width, FOCAL_OF_HEIGHT * height
    matrix[0, 2], matrix[1, 2] = (width - 1) / 2, (height - 1) / 2
    return matrix


def metric_pose(scene: Scene, camera: Camera) -> NDArray[np.float64]:
    """Camera-to-world matrix, shape (4, 4), translation in metres."""
    pose = np.eye(4)
    pose[:3, :3] = camera.rotation
    pose[:3, 3] = scene.scale * np.array(camera.position)
    return pose


def mean_camera(scene: Scene) -> Camera:
    """The camera about which the sweep swings; questions mean "left" and "right" from it."""
    path = scene.path
    return Camera((path.x, path.y, path.height), path.yaw, path.pitch)


def scene_cameras(scene: Scene, n: int) -> tuple[Camera, ...]:
    """`n` cameras at equal steps along the scene's sweep."""
    return tuple(_on_path(scene.path, (k + 0.5) / n) for k in range(n))


def _on_path(path: CameraPath, t: float) -> Camera:
    turn = 2 * math.pi * t + path.phase
    # Sideways, to and fro, and turning have different rhythms, so that no two views coincide.
    position = (
        path.x + path.sway * math.sin(turn),
        path.y + 0.5 * path.sway * math.sin(2 * turn + 0.6),
        path.height + 0.03 * math.cos(turn),
    )
    yaw = path.yaw + path.yaw_swing * math.sin(turn + 0.9)
    return Camera(position, yaw, path.pitch + path.pitch_swing * math.sin(2 * turn))
