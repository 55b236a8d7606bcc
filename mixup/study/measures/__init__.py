"""Measures of a run: numbers from its net, its hidden states and its history."""
