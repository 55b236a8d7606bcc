"""The mixing itself: the formula, the plan and `ManifoldMixup`; pure torch and numpy."""
