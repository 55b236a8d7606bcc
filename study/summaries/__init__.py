"""Tables over runs and seeds."""
