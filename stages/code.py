"""Write the digest of the code of every stage, which the other stages depend on."""

import json
from collections.abc import Mapping
from typing import Any

from study.code import CODE, stage_digests
from study.command import run
from study.files import write_text
from study.params import read_params
from study.training.own_code import digest


def main() -> None:
    """Write code.json; of a study of one's own also a digest of the code of one's own, ``own``."""
    params = read_params()
    digests = stage_digests()
    if "own" in params:
        digests["own"] = digest_of_all(params)
    write_text(CODE, json.dumps(digests, indent=1) + "\n")


def digest_of_all(params: Mapping[str, Any]) -> str:
    """Digest the code of all own functions that a params.yaml names; it is read unchecked.

    Raises:
        StudyError: as of `digest`.
    """
    named = set[str]()
    experiments = params.get("experiments")
    for experiment in experiments.values() if isinstance(experiments, dict) else ():
        for section, key in (("net", "module"), ("training", "augment")):
            found = experiment.get(section) if isinstance(experiment, dict) else None
            if isinstance(found, dict) and isinstance(found.get(key), str):
                named.add(found[key])
    return " ".join(f"{spec} {digest(spec)}" for spec in sorted(named))


if __name__ == "__main__":
    run(main, __doc__)
