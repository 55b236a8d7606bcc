"""The trial notices kernels whose sums have another order than those of a run alone."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from study.training import trial
from study.training.trial import keeps_bytes
from tests.study.training.kernels import needs_agreeing_products
from tests.study.training.test_cohort import METHODS, config, dataset, every_method

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def nothing_found_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_found", {})


def in_float64(product: Any) -> Any:
    """Make a kernel that is as right as torch's own, and differs in its last bits."""

    def exact(*matrices: Tensor, out: Tensor | None = None) -> Tensor:
        result = product(*(matrix.double() for matrix in matrices)).float()
        return result if out is None else out.copy_(result)

    return exact


@needs_agreeing_products
def test_the_kernels_of_this_machine_keep_the_bytes() -> None:
    assert keeps_bytes(every_method(), dataset())


@needs_agreeing_products
@pytest.mark.slow
def test_other_kernels_of_this_machine_keep_the_bytes() -> None:
    """Those that MKL chooses for other processors: there, a vector is summed as no matrix is."""
    program = (
        "from tests.study.training.test_cohort import dataset, every_method; "
        "from study.training.trial import keeps_bytes; "
        "assert keeps_bytes(every_method(batch_size=16), dataset())"
    )
    environment = os.environ | {"MKL_CBWR": "AVX2,STRICT"}
    subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, check=True)


@pytest.mark.parametrize("kernel", ["bmm", "baddbmm"])
def test_other_kernels_are_noticed(monkeypatch: pytest.MonkeyPatch, kernel: str) -> None:
    monkeypatch.setattr(torch, kernel, in_float64(getattr(torch, kernel)))
    assert not keeps_bytes(every_method(), dataset())


@needs_agreeing_products
def test_a_run_that_fails_in_both_ways_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "spoilt", {"weight_decay": 1e6})
    assert keeps_bytes([config("spoilt"), config("baseline")], dataset())


@needs_agreeing_products
def test_runs_of_a_kind_are_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cohort = [config("input"), config("dropout")]
    assert keeps_bytes(cohort, dataset())
    monkeypatch.setattr(torch, "bmm", in_float64(torch.bmm))
    assert keeps_bytes([config("dropout", 7), config("input", 8)], dataset())
    assert not keeps_bytes([*cohort, config("input", 1)], dataset())
    assert not keeps_bytes(cohort, dataset(n_features=4))
    assert not keeps_bytes([config("input"), config("hidden")], dataset())
