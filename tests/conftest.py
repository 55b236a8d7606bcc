"""One thread for every test and every process it starts: small tensors gain nothing from more."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
