"""The embedded demo: a small rendered world and the tiny base model that can read it."""
