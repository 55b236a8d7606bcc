"""Manifold Mixup inside other people's training loops; import the module you need by name."""
