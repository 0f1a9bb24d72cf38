"""The publication's tables with our runs under their counterparts, in every format."""
