"""Runs of one benchmark beside each other: numbers with intervals, and where they differ."""
