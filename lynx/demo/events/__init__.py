"""A rendered world."""
