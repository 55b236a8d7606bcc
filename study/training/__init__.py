"""Training: configuration, trainer, scores, and the folder a run leaves."""
