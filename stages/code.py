"""Write the digest of the code of every stage, which the other stages depend on."""

import json

from study.code import CODE, stage_digests
from study.command import run
from study.files import whole_file


def main() -> None:
    with whole_file(CODE) as temporary:
        temporary.write_text(json.dumps(stage_digests(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(main, __doc__)
