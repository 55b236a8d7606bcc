"""Measures of hidden states, and tables over runs and seeds."""
