"""Manifests, verification and publishing: the edges of the DAG (design, rules 2-4)."""
