"""Stages 1 and 2: the reference, the losses, and the training of the vision adapter."""
