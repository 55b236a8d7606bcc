"""One thin module a DVC stage, run from the project's folder as ``python -m stages.NAME``."""

import os

from study.interrupts import begin

begin()

# A stage that only moves a finished run spends a sixth of its time on looking for plugins.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
