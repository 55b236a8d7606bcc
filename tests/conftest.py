"""What holds for all tests."""

import os
import signal

import yaml
from hypothesis import settings

# Small tensors gain nothing from more threads, here and in the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# An interrupt must reach the processes that tests start, and they would ignore it as whoever starts
# the tests does: pytest-xdist, or a shell in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure. Under CI, hypothesis also tries the same examples every time.
settings.register_profile(
    "patient", parent=settings.get_profile(settings.get_current_profile_name()), deadline=None
)
settings.load_profile("patient")

# Params that are written here share parts, and params.yaml may have no anchors.
yaml.SafeDumper.ignore_aliases = lambda *_: True
