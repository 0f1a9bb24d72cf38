"""A small world of events: rooms in which light flashes between slow frames."""

from lynx.demo.events.export import export_events

__all__ = ["export_events"]
