"""Base families; one file each. Nothing outside this folder knows which base it is."""
