"""The embedded demo world: small rooms in ScanNet's file layout, with questions about them."""

from __future__ import annotations

from lynx.demo.world.camera import Camera, mean_camera, metric_pose, scene_cameras
from lynx.demo.world.export import export_world
from lynx.demo.world.questions import Question, scanqa_questions, sqa3d_questions
from lynx.demo.world.raycast import Rendering, render_frame
from lynx.demo.world.scene import Scene, build_scene
from lynx.demo.world.settings import WorldSettings
from lynx.demo.world.wording import question_corpus

__all__ = [
    "Camera",
    "Question",
    "Rendering",
    "Scene",
    "WorldSettings",
    "build_scene",
    "export_world",
    "mean_camera",
    "metric_pose",
    "question_corpus",
    "render_frame",
    "scanqa_questions",
    "scene_cameras",
    "sqa3d_questions",
]
