"""Print the stages in the order in which they run, with what each waits for."""

from __future__ import annotations

import re
import subprocess
import sys
from textwrap import wrap

import networkx as nx

from study.command import run
from study.errors import StudyError

DAG = [sys.executable, "-m", "dvc", "dag", "--dot", "--collapse-foreach-matrix"]
COLUMNS = 100


def stages_text(dot: str) -> str:
    """Lay out what ``dvc dag --dot`` tells as numbered lines, and after which lines each comes.

    What follows from the others is left out: if c waits for b and a, and b for a, c is after b.
    """
    graph = nx.DiGraph(re.findall(r'"([^"]+)" -> "([^"]+)"', dot))
    graph.add_nodes_from(re.findall(r'^\s*"([^"]+)";', dot, flags=re.MULTILINE))
    reduced = nx.transitive_reduction(graph)
    lines: dict[tuple[frozenset[str], frozenset[str]], list[str]] = {}
    for stages in nx.topological_generations(reduced):
        for stage in sorted(stages):
            around = frozenset(reduced.predecessors(stage)), frozenset(reduced.successors(stage))
            lines.setdefault(around, []).append(stage)
    number = {stage: n for n, stages in enumerate(lines.values(), 1) for stage in stages}
    text = []
    for n, ((before, _), stages) in enumerate(lines.items(), 1):
        after = ", ".join(map(str, sorted({number[stage] for stage in before})))
        words = ", ".join(stages) + (f" (after {after})" if after else "")
        text += wrap(words, COLUMNS, initial_indent=f"{n:>2}  ", subsequent_indent="    ")
    return "\n".join(text)


def main() -> None:
    done = subprocess.run(DAG, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StudyError(done.stderr.strip().partition("\n")[0].removeprefix("ERROR: "))
    print(stages_text(done.stdout))


if __name__ == "__main__":
    run(main, __doc__)
