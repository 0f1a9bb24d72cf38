"""Prediction (resumable) and scoring."""
