"""One command on several GPUs: where a process stands among its ranks, and how they are started."""
