"""Files to arrays: posed RGB-D folders and recordings; nothing here imports torch."""
