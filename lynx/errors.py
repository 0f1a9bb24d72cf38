"""The one exception that a user's mistake raises."""

from __future__ import annotations


class InputError(Exception):
    """Wrong input: one sentence with the file or key, what was found, expected, and what to do.

    The command line prints the sentence without a traceback and exits with code 2 (architecture,
    rule 11).
    """
