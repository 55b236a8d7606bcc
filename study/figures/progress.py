"""Tell a person how far the drawing of many figures has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, as_completed

from tqdm import tqdm


def wait_for_figures(begun: Mapping[Future[int], str]) -> None:
    """Wait until all is drawn: a bar on a terminal, a line an experiment elsewhere.

    Args:
        begun: parts of the work, each of which gives the number of its figures, and the
            experiments that they are of.

    Raises:
        Exception: what the first part to fail raised.
    """
    left, drawn = Counter(begun.values()), Counter[str]()
    look = "{desc} |{bar:20}| {elapsed}, {remaining} to go"
    with tqdm(total=len(begun), bar_format=look, disable=None) as bar:
        for part in as_completed(begun):
            name = begun[part]
            drawn[name] += part.result()
            left[name] -= 1
            bar.set_description_str(f"{drawn.total()} figures", refresh=False)
            bar.update()
            if bar.disable and not left[name]:
                print(f"{name}: {drawn[name]} figure{'s' * (drawn[name] != 1)}", flush=True)
