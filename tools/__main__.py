"""Commands beside DVC: ``python -m tools`` lists them, ``python -m tools NAME ...`` runs one.

In the folder of another study it is ``python ../tools NAME ...``. The code is that beside this
file, whatever is installed.
"""

import ast
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HELP = {"-h", "--help"}
NEED_NO_STUDY = {"new_study"}


def commands() -> dict[str, str]:
    """Give the names of all commands, and what each does."""
    paths = sorted(HERE.glob("[!_]*.py"))
    docs = {path.stem: ast.get_docstring(ast.parse(path.read_text("utf-8"))) for path in paths}
    return {name: doc.splitlines()[0] for name, doc in docs.items() if doc}


def main() -> None:
    known = commands()
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in known:
        if not (name in NEED_NO_STUDY or Path("dvc.yaml").is_file() or HELP & set(sys.argv)):
            print("error: this folder holds no study: it has no dvc.yaml", file=sys.stderr)
            sys.exit(1)
        sys.path[0] = str(HERE.parent)
        sys.argv[:2] = [f"python -m tools {name}"]  # what the usage names
        runpy.run_module(f"tools.{name}", run_name="__main__")
        return
    width = max(map(len, known))
    listed = "\n".join(f"  {each:<{width}}  {about}" for each, about in known.items())
    text = f"usage: python -m tools COMMAND [--help]\n\n{listed}"
    if name in HELP:
        print(text)
    else:
        print(f"there is no command {name!r}\n\n{text}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
