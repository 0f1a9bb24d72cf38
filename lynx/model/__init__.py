"""Base models: load, frames to tokens, the two adapters, sequence assembly."""
