"""Run a stage of a study in another folder: ``python ../stages NAME`` is ``python -m stages.NAME``.

The code is that beside this file, whatever is installed and wherever the folder was copied to.
"""

import runpy
import sys
from pathlib import Path

name = sys.argv[1]
sys.path[0] = str(Path(__file__).resolve().parents[1])
sys.argv[:2] = ["-m"]
runpy.run_module(f"stages.{name}", run_name="__main__", alter_sys=True)
