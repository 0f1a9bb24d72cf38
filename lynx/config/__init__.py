"""Configuration: pydantic models that refuse unknown keys; the only place that reads YAML."""
