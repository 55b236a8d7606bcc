"""One thin module a DVC stage, run from the project's folder as ``python -m stages.NAME``."""

from study.interrupts import begin

begin()
