"""Run a stage of a study in another folder: ``python ../stages NAME`` is ``python -m stages.NAME``.

The code is that beside this file, whatever is installed and wherever the folder was copied to.
"""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
stages = sorted(path.stem for path in HERE.glob("[!_]*.py"))
name = sys.argv[1] if len(sys.argv) > 1 else "--help"
if name not in stages:
    start = "-m stages" if sys.argv[0] == __file__ else sys.argv[0]
    usage = f"usage: python {start} NAME ..., where NAME is a stage: {', '.join(stages)}"
    if name not in ("-h", "--help"):
        print(f"there is no stage {name!r}\n{usage}", file=sys.stderr)
        sys.exit(2)
    print(usage)
    sys.exit()
sys.path[0] = str(HERE.parent)
sys.argv[:2] = ["-m"]
runpy.run_module(f"stages.{name}", run_name="__main__", alter_sys=True)
