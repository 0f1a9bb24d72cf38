"""Manifests, verification and publishing: the edges of the DAG (architecture, rules 2-4)."""
