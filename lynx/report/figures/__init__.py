"""Figures, each a function from scores and curves to a matplotlib figure."""
