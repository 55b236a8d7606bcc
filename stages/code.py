"""Write the digest of the code of every stage, which the other stages depend on."""

import json

from study.code import CODE, stage_digests
from study.command import run
from study.files import whole_file
from study.params import read_params
from study.training.own_code import digest_of_all


def main() -> None:
    """Write code.json; of a study of one's own also a digest of the code of one's own, ``own``."""
    params = read_params()
    digests = stage_digests()
    if "own" in params:
        digests["own"] = digest_of_all(params)
    with whole_file(CODE) as temporary:
        temporary.write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(main, __doc__)
