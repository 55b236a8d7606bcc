"""Check the whole of params.yaml, so that a bad value stops the pipeline before any training."""

from pathlib import Path

from study.command import run
from study.files import whole_file
from study.validation import read_study

VALID = Path("data/params_are_valid")


def main() -> None:
    read_study()
    # The same bytes whatever the parameters: stages that depend on it wait for it, and are not
    # made out of date by it.
    with whole_file(VALID) as temporary:
        temporary.write_text("params.yaml passed stages.validate\n", encoding="utf-8")


if __name__ == "__main__":
    run(main, __doc__)
