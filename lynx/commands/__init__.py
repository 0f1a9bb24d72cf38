"""The subcommands of `lynx`, by what they are for."""
