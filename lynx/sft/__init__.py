"""Stage 3: instruction tuning of the language adapter from token streams."""
