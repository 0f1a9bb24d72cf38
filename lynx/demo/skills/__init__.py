"""A small world of skills: takes whose second camera shows what the first does not."""

from lynx.demo.skills.export import export_skills

__all__ = ["export_skills"]
