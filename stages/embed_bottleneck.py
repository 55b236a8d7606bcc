"""Keep and measure the states of every net with a bottleneck of two units."""

from study.command import run
from study.files import write_text
from study.measures.bottleneck import EMBEDDINGS, bottleneck_states, write_embeddings
from study.measures.embedding import applies, embedding_measures
from study.measures.runs import runs_where, write_measures

WHY_NONE = "No net of this study has a bottleneck of two units, so there are no states to keep.\n"


def main() -> None:
    states = {each.key: bottleneck_states(each.run, each.dataset) for each in runs_where(applies)}
    measures = {key: embedding_measures(splits) for key, splits in states.items()}
    write_embeddings(states)
    if not states:  # DVC warns of an output that is an empty folder
        write_text(EMBEDDINGS / "none.txt", WHY_NONE)
    write_measures("metrics/embedding.csv", measures)


if __name__ == "__main__":
    run(main, __doc__)
