"""Many runs at once: on the cores of one machine, or on the workers of a cluster."""
