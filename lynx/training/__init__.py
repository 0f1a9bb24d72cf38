"""What both trainings share: the plan of steps, checkpoints, the resumable loop."""
